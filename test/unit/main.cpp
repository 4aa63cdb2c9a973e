#include <gtest/gtest.h>

#include <iostream>

#include "core/algorithms.h"
#include "core/self_test.h"
#include "memory_failure.h"

int main(int argc, char **argv) {
    if (!envcrypt::test::HookOpenSslMemory()) {
        std::cerr << "OpenSSL had allocated before the tests began\n";
        return 1;
    }
    ::testing::InitGoogleTest(&argc, argv);
    if (const auto status = envcrypt::TestAlgorithms(); !status.ok()) {
        std::cerr << "OpenSSL lacks " << envcrypt::AlgorithmName(static_cast<envcrypt::Needed>(status.detail))
                  << "\n";
        return 1;
    }
    return RUN_ALL_TESTS();
}
