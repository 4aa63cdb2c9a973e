// self_test.h: uses each algorithm once, before anything depends on it.
#pragma once

#include "core/status.h"

namespace envcrypt {

// TestAlgorithms fetches every algorithm (algorithms.h) and uses it. kNoAlgorithm names the first that is
// missing, or that OpenSSL has and refuses to use.
Status TestAlgorithms() noexcept;

}  // namespace envcrypt
