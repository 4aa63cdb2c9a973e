// value_memo.h: a few values that were opened a moment ago.
//
// A sort compares the same value up to twenty times, and a constant in an IN list is compared once per row. A
// value is found by its tag and confirmed by all of its bytes. The memo ends with the transaction, and is
// emptied whenever data keys or the keyring may have changed. It decides no rights: callers do, for each
// call.
#pragma once

#include "server/backend.h"
#include "values/base_type.h"

namespace envcrypt {

// BelongsToMemo: what is opened is the memo's own, and good until its next call. Where the type's functions
// may open other values themselves, and so call again while a result is in use, it is a copy for the caller.
inline bool BelongsToMemo(const BaseType &type) noexcept {
    return !type.may_open_others();
}

// OpenThroughMemo opens `sealed`, or returns what it was opened to before. ReleaseOpened ends its use.
Datum OpenThroughMemo(const BaseType &type, const struct varlena *sealed);
void ReleaseOpened(const BaseType &type, Datum opened);

// OpenPairThroughMemo does so for two values of a comparison.
struct OpenedPair {
    Datum left;
    Datum right;
};
OpenedPair OpenPairThroughMemo(const BaseType &type, const struct varlena *left, const struct varlena *right);
void ReleaseOpened(const BaseType &type, const OpenedPair &opened);

}  // namespace envcrypt
