// core_bench.cpp: src/core alone, without a server. Google Benchmark.
#include <benchmark/benchmark.h>

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "core/self_test.h"
#include "core/data_key_cache.h"
#include "core/key_operations.h"
#include "core/keyring.h"
#include "core/random.h"
#include "core/sealed_value.h"
#include "core/wrapped_key.h"

namespace {

using namespace envcrypt;

void Check(Status status) {
    if (!status.ok())
        std::abort();
}

// A benchmark's world: one master key, its ring, randomness.
struct World {
    Keyring ring;
    RandomPool random;
    std::string ring_text;

    World() {
        Check(TestAlgorithms());
        char text[45];
        Check(GenerateMasterKey(text));
        ring_text = text;
        Check(ring.Load(ring_text));
    }

    Aead &wrapping() { return *ring.Find(ring.fingerprint(0)); }

    KeyRow MakeKey(Algorithm algorithm, const std::string &owner) {
        KeyRow row;
        row.algorithm = algorithm;
        row.has_owner = true;
        row.owner_bytes = static_cast<std::uint8_t>(owner.size());
        std::memcpy(row.owner_utf8.data(), owner.data(), owner.size());
        Check(GenerateWrappedKey(wrapping(), ring.fingerprint(0), random, getpid(), &row));
        return row;
    }
};

World &TheWorld() {
    static auto *world = new World;
    return *world;
}

struct SealBench {
    Algorithm algorithm;
    Aead key;
    SealedHeader header;
    std::vector<std::uint8_t> plain;
    std::vector<std::uint8_t> sealed;

    explicit SealBench(const benchmark::State &state)
        : algorithm(static_cast<Algorithm>(state.range(0))),
          plain(static_cast<std::size_t>(state.range(1)), 'x'),
          sealed(plain.size() + SealedOverhead(algorithm)) {
        SecretKey bytes;
        TheWorld();
        Check(RandomKey(bytes));
        Check(key.SetKey(algorithm, bytes.ExposeSecret()));
        header.algorithm = algorithm;
        header.type_tag = static_cast<std::uint8_t>(TypeTag::kText);
        header.key_id = 1;
        Seal();
    }

    void Seal() {
        std::array<std::uint8_t, kMaxNonceBytes> nonce;
        const auto used = std::span(nonce).first(NonceBytes(algorithm));
        Check(TheWorld().random.Take(used, 1));
        Check(SealValue(key, header, used, plain, sealed));
    }

    void Open() {
        SealedHeader read;
        Check(ParseHeader(sealed, sealed.size(), &read));
        Check(OpenValue(key, read, sealed, plain));
    }
};

void SealAValue(benchmark::State &state) {
    SealBench bench(state);
    for (auto _ : state) bench.Seal();
    state.SetBytesProcessed(state.iterations() * state.range(1));
}

void OpenAValue(benchmark::State &state) {
    SealBench bench(state);
    for (auto _ : state) bench.Open();
    state.SetBytesProcessed(state.iterations() * state.range(1));
}

void UnwrapAKey(benchmark::State &state) {
    World &world = TheWorld();
    const KeyRow row = world.MakeKey(Algorithm::kAes256Gcm, "someone");
    SecretKey key;
    for (auto _ : state) Check(UnwrapKey(world.wrapping(), row, key));
}

void RewrapAKey(benchmark::State &state) {
    World &world = TheWorld();
    KeyRow row = world.MakeKey(Algorithm::kAes256Gcm, "someone");
    Aead &wrapping = world.wrapping();
    for (auto _ : state)
        Check(RewrapKey(wrapping, wrapping, world.ring.fingerprint(0), world.random, 1, &row));
}

void LoadAKeyring(benchmark::State &state) {
    World &world = TheWorld();
    Keyring ring;
    for (auto _ : state) Check(ring.Load(world.ring_text));
}

struct CacheBench {
    DataKeyCache cache;
    std::vector<KeyRow> rows;

    explicit CacheBench(std::size_t keys) : cache(keys) {
        World &world = TheWorld();
        for (std::size_t i = 0; i < keys; i++) {
            DataKey *entry = nullptr;
            rows.push_back(world.MakeKey(Algorithm::kAes256Gcm, "owner" + std::to_string(i)));
            Check(cache.Put(rows.back(), world.wrapping(), true, false, &entry));
        }
    }
};

void FindAKeyById(benchmark::State &state) {
    CacheBench bench(static_cast<std::size_t>(state.range(0)));
    std::size_t i = 0;
    for (auto _ : state) {
        if (bench.cache.Find(bench.rows[i].key_id) == nullptr)
            std::abort();
        i = i + 1 == bench.rows.size() ? 0 : i + 1;
    }
}

void FindAKeyByOwner(benchmark::State &state) {
    CacheBench bench(static_cast<std::size_t>(state.range(0)));
    std::size_t i = 0;
    for (auto _ : state) {
        if (bench.cache.FindActive(bench.rows[i].owner()) == nullptr)
            std::abort();
        i = i + 1 == bench.rows.size() ? 0 : i + 1;
    }
}

void PutAKey(benchmark::State &state) {
    World &world = TheWorld();
    const KeyRow row = world.MakeKey(Algorithm::kAes256Gcm, "someone");
    DataKeyCache cache(16);
    for (auto _ : state) {
        DataKey *entry = nullptr;
        cache.Clear();
        Check(cache.Put(row, world.wrapping(), true, false, &entry));
    }
}

void Sizes(benchmark::internal::Benchmark *benchmark) {
    benchmark->ArgNames({"suite", "bytes"})->ArgsProduct({{1, 2}, {32, 256, 4096, 65536}});
}

BENCHMARK(SealAValue)->Apply(Sizes);
BENCHMARK(OpenAValue)->Apply(Sizes);
BENCHMARK(UnwrapAKey);
BENCHMARK(RewrapAKey);
BENCHMARK(LoadAKeyring);
BENCHMARK(FindAKeyById)->ArgName("keys")->Arg(1000);
BENCHMARK(FindAKeyByOwner)->ArgName("keys")->Arg(1000);
BENCHMARK(PutAKey);

}  // namespace

BENCHMARK_MAIN();
