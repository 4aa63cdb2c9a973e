// value_memo.h: a few values that were opened a moment ago.
//
// A sort compares the same value up to twenty times, and a constant in an IN list is compared once per row. A
// value is found by its tag and confirmed by all of its bytes. The memo ends with the transaction, and is
// emptied whenever data keys or the keyring may have changed. It decides no rights: callers do, for each
// call.
#pragma once

#include "pg/backend.h"
#include "pg/base_type.h"

namespace envcrypt {

// OpenThroughMemo opens `sealed`, or returns what it was opened to before. The result belongs to the memo and
// is good until the next call.
Datum OpenThroughMemo(const BaseType &type, const struct varlena *sealed);

// OpenPairThroughMemo does so for two values of a comparison; both results are good until the next call.
struct OpenedPair {
    Datum left;
    Datum right;
};
OpenedPair OpenPairThroughMemo(const BaseType &type, const struct varlena *left, const struct varlena *right);

}  // namespace envcrypt
