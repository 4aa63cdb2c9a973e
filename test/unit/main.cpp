#include <gtest/gtest.h>

#include <iostream>

#include "core/aead.h"
#include "memory_failure.h"

int main(int argc, char **argv) {
    if (!envcrypt::test::HookOpenSslMemory()) {
        std::cerr << "OpenSSL had allocated before the tests began\n";
        return 1;
    }
    ::testing::InitGoogleTest(&argc, argv);
    if (!envcrypt::FetchAlgorithms().ok()) {
        std::cerr << "OpenSSL lacks an algorithm\n";
        return 1;
    }
    return RUN_ALL_TESTS();
}
