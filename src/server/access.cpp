#include "server/access.h"

#include "server/rights.h"
#include "server/settings.h"
#include "server/statement_state.h"

namespace envcrypt {

Access CurrentAccess() {
    // First: logical decoding must not look at catalogs.
    if (SpeaksOnlyCiphertext())
        return {.passes_through = true,
                .is_ciphertext_forced = true,
                .may_open = false,
                .may_seal = false,
                .input = Language::kCiphertext,
                .output = Language::kCiphertext};
    Access access{.passes_through = false,
                  .is_ciphertext_forced = settings.io == static_cast<int>(Io::kCiphertext) ||
                                          (settings.io == static_cast<int>(Io::kAuto) && IsDumpConnection()),
                  .may_open = MayOpen(),
                  .may_seal = MaySeal(),
                  .input = Language::kCiphertext,
                  .output = Language::kCiphertext};
    const bool is_plaintext_forced = settings.io == static_cast<int>(Io::kPlaintext);
    if (!access.is_ciphertext_forced && (is_plaintext_forced || access.may_use_keys()))
        access.input = Language::kPlaintext;
    if (!access.is_ciphertext_forced && (is_plaintext_forced || access.may_open))
        access.output = Language::kPlaintext;
    return access;
}

}  // namespace envcrypt
