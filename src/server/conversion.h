// conversion.h: from a value of one type to one of another, as a cast in SQL does it.
#pragma once

#include "server/backend.h"

extern "C" {
#include "nodes/primnodes.h"
}

namespace envcrypt {

struct Conversion {
    Oid source;
    Oid target;
    FmgrInfo function;  // fn_oid is invalid where the two have the same representation, or text is between
    int arguments;
    bool through_text;
    FmgrInfo output;
    FmgrInfo input;
    Oid input_parameter;
    bool to_domain;
    void *domain_state;
    MemoryContext context;
};

// PrepareConversion fills *conversion, whose parts live in `context`. The owner of a type may replace its
// casts at any time: `allowed` keeps one that PostgreSQL would use only where it is asked for out of
// assignments.
void PrepareConversion(Conversion *conversion, Oid source, Oid target, CoercionContext allowed,
                       MemoryContext context);

// Convert raises the conversion's own errors without their text, which may quote the value. The target's type
// modifier is for the few conversions that apply it themselves.
Datum Convert(Conversion *conversion, Datum value, std::int32_t typmod = -1);

}  // namespace envcrypt
