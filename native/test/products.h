// Matrix products for tests: operands, the kernels' Problem, and the result in double.
#pragma once

#include <cmath>
#include <random>

#include "check.h"

inline std::vector<float> numbers(size_t n, unsigned seed) {
    std::mt19937 generator(seed);
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::vector<float> values(n);
    for (float& v : values) {
        v = uniform(generator);
    }
    return values;
}

struct Key {
    unsigned low, high, stream, step;
};

struct Problem {
    CUdeviceptr a, b, bias, c, preactivation, partial;
    int m, n, k, batch;
    long long stride_a, stride_b, stride_c;
    float alpha, beta;
    int activation, splits;
    unsigned threshold;
    float scale;
    int narrow;
};

/// Philox4x32-10 as Random123 has it, and lanes as io.quern.tensor.Rng takes them.
inline void philox(const unsigned (&counter)[4], unsigned k0, unsigned k1, unsigned (&out)[4]) {
    unsigned c[4] = {counter[0], counter[1], counter[2], counter[3]};
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = uint64_t{0xD2511F53u} * c[0], p1 = uint64_t{0xCD9E8D57u} * c[2];
        unsigned next[4] = {static_cast<unsigned>(p1 >> 32) ^ c[1] ^ k0, static_cast<unsigned>(p1),
                            static_cast<unsigned>(p0 >> 32) ^ c[3] ^ k1, static_cast<unsigned>(p0)};
        std::copy(next, next + 4, c);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    std::copy(c, c + 4, out);
}

inline bool dropped(Key key, long long i, unsigned threshold) {
    unsigned words[4];
    philox({static_cast<unsigned>(i / 8), static_cast<unsigned>(i >> 35), key.step, key.stream}, key.low, key.high, words);
    return (words[i % 8 / 2] >> (i % 2 * 16) & 0xffff) < threshold;
}

/// Rounds to the given bits of fraction, ties to even.
inline float rounded(float x, int fraction) {
    uint32_t bits, ulp = 1u << (23 - fraction);
    std::memcpy(&bits, &x, 4);
    bits = (bits + ulp / 2 - 1 + (bits >> (23 - fraction) & 1)) & ~(ulp - 1);
    std::memcpy(&x, &bits, 4);
    return x;
}

struct Matrix {
    std::vector<float> values;
    CUdeviceptr address;
};

inline Matrix matrix(Device& d, size_t n, unsigned seed, const std::string& type) {
    std::vector<float> x = numbers(n, seed);
    for (float& v : x) {
        v = type == "bf16" ? rounded(v, 7) : type == "tf32" ? rounded(v, 10) : v;
    }
    if (type != "bf16") {
        return {x, d.upload(x)};
    }
    std::vector<uint16_t> halves(n);
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        std::memcpy(&bits, &x[i], 4);
        halves[i] = static_cast<uint16_t>(bits >> 16);
    }
    return {x, d.upload(halves)};
}

inline std::vector<float> values(Device& d, CUdeviceptr address, size_t n, bool narrow) {
    if (!narrow) {
        return d.download<float>(address, n);
    }
    std::vector<uint16_t> halves = d.download<uint16_t>(address, n);
    std::vector<float> x(n);
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = static_cast<uint32_t>(halves[i]) << 16;
        std::memcpy(&x[i], &bits, 4);
    }
    return x;
}

/// d(relu(a b / 2 + beta c + bias)). type: f32, tf32 or bf16 operands, narrow: results in bf16. Inputs have few enough bits, so
/// that only sums and results are rounded.
struct Product {
    Device& d;
    bool ta, tb, narrow;
    size_t results;
    Matrix a, b, bias, c, pre;
    Problem p;
    Key rng{0x89abcdef, 0x01234567, 3, 7};
    CUdeviceptr step = 0;

    Product(Device& d, const std::string& type, bool narrow, int m, int n, int k, int layout, int batch, int splits, float beta,
            unsigned threshold)
        : d(d), ta((layout & 1) != 0), tb((layout & 2) != 0), narrow(narrow) {
        size_t sm = static_cast<size_t>(m), sn = static_cast<size_t>(n), sk = static_cast<size_t>(k), items = static_cast<size_t>(batch);
        std::string result = narrow ? "bf16" : "f32";
        results = items * sm * sn;
        a = matrix(d, items * sm * sk, 1, type);
        b = matrix(d, items * sk * sn, 2, type);
        bias = matrix(d, sn, 3, result);
        c = matrix(d, results, 4, result);
        pre = matrix(d, results, 4, result);
        p = {a.address, b.address, bias.address, c.address, pre.address, d.upload(std::vector<float>(results * static_cast<size_t>(splits))),
             m, n, k, batch, static_cast<long long>(m) * k, static_cast<long long>(k) * n, static_cast<long long>(m) * n, 0.5f, beta,
             1, splits, threshold, 65536.0f / static_cast<float>(65536 - threshold), narrow};
    }

    /// "nn" and so on.
    std::string layout() const { return std::string(ta ? "t" : "n") + (tb ? "t" : "n"); }

    double sum(int item, int i, int j) const {
        double total = 0;
        for (int q = 0; q < p.k; q++) {
            long ai = ta ? (static_cast<long>(item) * p.k + q) * p.m + i : (static_cast<long>(item) * p.m + i) * p.k + q;
            long bi = tb ? (static_cast<long>(item) * p.n + j) * p.k + q : (static_cast<long>(item) * p.k + q) * p.n + j;
            total += static_cast<double>(a.values[static_cast<size_t>(ai)]) * b.values[static_cast<size_t>(bi)];
        }
        return total;
    }

    double allowed() const { return (p.k + 8) * 1.2e-7; }

    /// Compares all results; gives the device its memory back.
    void verify() {
        std::vector<float> got = values(d, p.c, results, narrow), got_pre = values(d, p.preactivation, results, narrow);
        bool good = true;
        for (size_t at = 0; at < results; at++) {
            size_t j = at % static_cast<size_t>(p.n), i = at / static_cast<size_t>(p.n);
            double s = sum(static_cast<int>(i) / p.m, static_cast<int>(i) % p.m, static_cast<int>(j));
            s = 0.5 * s + p.beta * static_cast<double>(c.values[at]) + bias.values[j];
            double result = dropped(rng, static_cast<long long>(at), p.threshold) ? 0 : std::max(s, 0.0) * p.scale;
            double rounding = narrow ? 0x1p-8 : 0;
            // so that NaN fails
            good &= std::abs(got_pre[at] - s) - rounding * std::abs(s) < allowed();
            good &= std::abs(got[at] - result) / p.scale - rounding * std::abs(result) < allowed();
        }
        CHECK(good);
        for (CUdeviceptr address : {p.a, p.b, p.bias, p.c, p.preactivation, p.partial}) {
            OK(cuMemFree_v2(address));
        }
    }
};
