// memo.h: what was looked up, kept for as long as nothing says that it may have changed.
//
// An invalidation callback counts. A memo is valid for one state of that counter: the one that was read
// *before* the lookups began, noted *after* the last of them succeeded. So a lookup that raises leaves the
// memo as invalid as it was, and a change that arrives between two lookups makes it invalid at once.
#pragma once

#include "server/backend.h"

namespace envcrypt {

// A counter that a callback advances: it neither allocates nor fails. Memos know no state 0.
using ChangeCounter = std::uint64_t;
inline constexpr ChangeCounter kFirstState = 1;

template <typename T>
class Memo {
 public:
    // The value, or nullptr where it is not known for that state of the counter.
    [[nodiscard]] const T *At(ChangeCounter now) const noexcept {
        return likely(valid_at_ == now) ? &value_ : nullptr;
    }

    // Fill keeps what `look_up` returns, which may raise.
    template <typename LookUp>
    const T &Fill(const ChangeCounter &counter, LookUp look_up) {
        valid_at_ = 0;
        AcceptInvalidationMessages();
        const ChangeCounter begun = counter;
        value_ = look_up();
        valid_at_ = begun;
        return value_;
    }

 private:
    ChangeCounter valid_at_ = 0;
    T value_{};
};

}  // namespace envcrypt
