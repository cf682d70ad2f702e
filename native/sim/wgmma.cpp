// Products of a warpgroup (wgmma): 64 x n x (16 of 16 bits, 8 of tf32), operands in shared memory behind descriptors.
#include <array>
#include <cstring>
#include <memory>

#include "abi.h"
#include "async.h"
#include "report.h"
#include "tensor_map.h"

namespace quern::driver {
namespace {

struct Operand {
    uint64_t descriptor;
    bool transposed;  // the rows (columns) of the product are contiguous, not k

    unsigned start() const { return static_cast<unsigned>(descriptor & 0x3fff) << 4; }
    unsigned leading() const { return static_cast<unsigned>(descriptor >> 16 & 0x3fff) << 4; }
    unsigned stride() const { return static_cast<unsigned>(descriptor >> 32 & 0x3fff) << 4; }
    /// As in tensor maps: 0 none, 1 32, 2 64, 3 128 bytes. In the descriptor 1 is 128 and 3 is 32.
    int swizzle() const {
        int layout = static_cast<int>(descriptor >> 62);
        return layout == 0 ? 0 : 4 - layout;
    }

    /// Offset in shared memory of an element; row counts along m or n.
    unsigned offset(unsigned row, unsigned k, unsigned element) const {
        int mode = swizzle();
        unsigned width = 16u << mode, address;
        if (transposed) {
            unsigned rows = width / element;
            address = start() + row / rows * leading() + k / 8 * stride() + k % 8 * width + row % rows * element;
        } else if (mode == 0) {
            address = start() + row / 8 * stride() + k * element / 16 * leading() + row % 8 * 16 + k * element % 16;
        } else {
            address = start() + row / 8 * stride() + row % 8 * width + k * element;
        }
        return swizzled(address, mode);
    }
};

float half_to_float(uint16_t bits) {
    _Float16 half;
    std::memcpy(&half, &bits, 2);
    return static_cast<float>(half);
}

float load(const char* place, int type) {
    uint32_t bits = 0;
    std::memcpy(&bits, place, type == sim::Wgmma::kTf32 ? 4 : 2);
    if (type == sim::Wgmma::kF16) {
        return half_to_float(static_cast<uint16_t>(bits));
    }
    bits = type == sim::Wgmma::kTf32 ? bits & 0xffffe000u : bits << 16;
    float value;
    std::memcpy(&value, &bits, 4);
    return value;
}

/// The instruction of a whole warpgroup.
struct Product {
    sim::Wgmma first;
    unsigned rank;
    std::array<float*, 128> d;
    std::array<std::array<uint32_t, 4>, 128> a;
    bool done = false;

    void run() {
        if (done) {
            return;
        }
        done = true;
        int type = first.type;
        unsigned element = type == sim::Wgmma::kTf32 ? 4 : 2, depth = 32 / element, n = first.n;
        struct Tiles {
            float x[64][16], y[16][256], sum[64][256];
        };
        // on the heap: a library that a JVM loads gets little thread-local memory
        static thread_local std::unique_ptr<Tiles> tiles = std::make_unique<Tiles>();
        auto& [x, y, sum] = *tiles;
        auto read = [&](const Operand& operand, unsigned row, unsigned k) {
            unsigned offset = operand.offset(row, k, element);
            return load(runtime()->shared_address(rank << 24 | offset, element, "wgmma operand"), type);
        };
        Operand a_operand{first.a_descriptor, first.transpose_a}, b_operand{first.b_descriptor, first.transpose_b};
        for (unsigned row = 0; row < 64; row++) {
            for (unsigned k = 0; k < depth; k++) {
                x[row][k] = first.a_in_registers ? register_element(row, k, type) : read(a_operand, row, k);
            }
        }
        for (unsigned k = 0; k < depth; k++) {
            for (unsigned column = 0; column < n; column++) {
                y[k][column] = read(b_operand, column, k);
            }
        }
        each([&](unsigned row, unsigned column, float& value) { sum[row][column] = first.accumulate ? value : 0.0f; });
        for (unsigned row = 0; row < 64; row++) {
            for (unsigned k = 0; k < depth; k++) {
                float factor = x[row][k];
                for (unsigned column = 0; column < n; column++) {
                    sum[row][column] += factor * y[k][column];
                }
            }
        }
        each([&](unsigned row, unsigned column, float& value) { value = sum[row][column]; });
    }

    /// Fragments as of mma.sync, for the 16 rows of each warp.
    float register_element(unsigned row, unsigned k, int type) const {
        bool tf32 = type == sim::Wgmma::kTf32;
        unsigned half = tf32 ? 4 : 8, lane = row % 8 * 4 + (tf32 ? k % 4 : k % 8 / 2);
        uint32_t word = a[row / 16 * 32 + lane][(row % 16 >= 8 ? 1 : 0) + (k >= half ? 2 : 0)];
        char bytes[4];
        std::memcpy(bytes, &word, 4);
        return load(bytes + (tf32 ? 0 : k % 2 * 2), type);
    }

    template <class Body>
    void each(Body body) {
        for (unsigned thread = 0; thread < 128; thread++) {
            unsigned warp = thread / 32, lane = thread % 32;
            for (unsigned j = 0; j < first.n / 8; j++) {
                for (unsigned i = 0; i < 4; i++) {
                    body(16 * warp + lane / 4 + i / 2 * 8, 8 * j + 2 * (lane % 4) + i % 2, d[thread][4 * j + i]);
                }
            }
        }
    }
};

struct Issue {
    sim::Wgmma* operation;
    std::shared_ptr<Product> product;
};

void meet(void* const* lanes) {
    auto product = std::make_shared<Product>();
    product->first = *static_cast<Issue*>(lanes[0])->operation;
    product->rank = current_group()->block().view.cluster_rank;
    for (size_t i = 0; i < 128; i++) {
        auto* issue = static_cast<Issue*>(lanes[i]);
        const sim::Wgmma& o = *issue->operation;
        const sim::Wgmma& f = product->first;
        if (o.n != f.n || o.type != f.type || o.a_descriptor != f.a_descriptor || o.b_descriptor != f.b_descriptor ||
            o.accumulate != f.accumulate || o.transpose_a != f.transpose_a || o.transpose_b != f.transpose_b) {
            current_group()->fail(CUDA_ERROR_ILLEGAL_INSTRUCTION, text("wgmma whose operands differ between threads 0 and %zu", i));
        }
        product->d[i] = o.d;
        if (o.a_in_registers) {
            std::memcpy(product->a[i].data(), o.a, 16);
        }
        issue->product = product;
    }
    if (!runtime()->late) {
        product->run();
    }
}

void wgmma(void* operation) {
    auto* o = static_cast<sim::Wgmma*>(operation);
    Issue mine{o, nullptr};
    runtime()->group_collective(&mine, meet, "wgmma");
    if (runtime()->late) {
        auto product = mine.product;
        issued().mma.open.push_back([product] { product->run(); });
    }
}

void wgmma_commit() {
    if (runtime()->late) {
        issued().mma.commit();
    }
}

void wgmma_wait(unsigned groups_left) {
    if (runtime()->late) {
        issued().mma.complete(groups_left);
    }
}

}  // namespace

void add_wgmma_calls(sim::Runtime& calls) {
    calls.wgmma = wgmma;
    calls.wgmma_commit = wgmma_commit;
    calls.wgmma_wait = wgmma_wait;
}

}  // namespace quern::driver
