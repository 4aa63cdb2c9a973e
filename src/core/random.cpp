#include "core/random.h"

#include <openssl/err.h>
#include <openssl/rand.h>

#include <algorithm>

#include "core/algorithms.h"

namespace envcrypt {

Status RandomPool::Take(std::span<std::uint8_t> out, int process_id) noexcept {
    auto block = block_.ExposeSecret();
    if (process_id != process_id_) {
        used_ = block.size();
        process_id_ = process_id;
    }
    for (std::size_t done = 0; done < out.size();) {
        if (used_ == block.size()) {
            if (RAND_bytes(block.data(), static_cast<int>(block.size())) != 1) {
                ERR_clear_error();
                Wipe(out);
                return Without(Needed::kRandom);
            }
            used_ = 0;
        }
        const std::size_t n = std::min(out.size() - done, block.size() - used_);
        auto fresh = block.subspan(used_, n);
        std::copy(fresh.begin(), fresh.end(), out.begin() + static_cast<std::ptrdiff_t>(done));
        std::fill(fresh.begin(), fresh.end(), std::uint8_t{0});
        used_ += n;
        done += n;
    }
    return {};
}

Status RandomKey(SecretKey &key) noexcept {
    auto bytes = key.ExposeSecret();
    if (RAND_priv_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1)
        return {};
    ERR_clear_error();
    return Without(Needed::kRandom);
}

}  // namespace envcrypt
