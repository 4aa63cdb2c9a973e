// own_function.h: functions of this library, known by what only superusers can give them, and never by a
// name.
#pragma once

#include "server/backend.h"

namespace envcrypt {

// IsOurFunction: a function in C that calls `source` of this library.
bool IsOurFunction(Oid function, std::string_view source);

}  // namespace envcrypt
