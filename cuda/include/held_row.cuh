// A row in the registers of a warp, for kernels that go over it more than once: all of its loads are under way together, and
// memory is read once.
#pragma once

#include "packs.cuh"
#include "ptx/math.cuh"
#include "ptx/warp.cuh"

namespace quern {

/// Elements of a row that a lane holds.
constexpr int kHeldElements = 32;

/// True if a warp is to hold a row: where it can, and most of what it does is not about missing elements.
QUERN_DEVICE bool held_row(int columns) { return columns > 8 * kHeldElements && columns <= 32 * kHeldElements; }

/// Elements in the order of packs.cuh: pack j of a lane is pack lane + 32 j of the row. Behind the row lie copies of `rest`.
template <int Lanes>
struct HeldRow {
    static constexpr int kPacks = kHeldElements / Lanes;
    Vec<float, Lanes> packs[kPacks];

    QUERN_DEVICE static int at(int pack) { return (lane_id() + 32 * pack) * Lanes; }

    template <class T>
    QUERN_DEVICE void load(const T* row, int n, float rest) {
        // two loops, so that all loads of a row are in one
        if (Lanes == 1 || aligned16(row)) {
            load(row, n, rest, true);
        } else {
            load(row, n, rest, false);
        }
    }

    /// The same of a row that begins at 16 bytes.
    template <class T>
    QUERN_DEVICE void load_aligned(const T* row, int n, float rest) {
        load(row, n, rest, true);
    }

    /// f(v, w, ...) for each own element v, which it may change, and those of other rows; also for what lies behind the row.
    template <class F, class... Rows>
    QUERN_DEVICE void each(F f, const Rows&... others) {
#pragma unroll
        for (int j = 0; j < kPacks; j++) {
#pragma unroll
            for (int i = 0; i < Lanes; i++) {
                f(packs[j][i], others.packs[j][i]...);
            }
        }
    }

    /// A sum over all own elements: sum = f(sum, v, w, ...), of eight in f32, and of those in double.
    template <class F, class... Rows>
    QUERN_DEVICE double sum_of_eights(F f, const Rows&... others) const {
        double sum = 0;
        float part = 0;
#pragma unroll
        for (int j = 0; j < kHeldElements; j++) {
            part = f(part, packs[j / Lanes][j % Lanes], others.packs[j / Lanes][j % Lanes]...);
            if (j % 8 == 7) {
                sum += part;
                part = 0;
            }
        }
        return sum;
    }

    /// f(v) for each own element v of the row, which it may change.
    template <class F>
    QUERN_DEVICE void each_in(int n, F f) {
#pragma unroll
        for (int j = 0; j < kPacks; j++) {
            if (at(j) < n) {
#pragma unroll
                for (int i = 0; i < Lanes; i++) {
                    f(packs[j][i]);
                }
            }
        }
    }

    /// y[i] = f(i, own element i, a[i], b[i], ...).
    template <class To, class F, class... T>
    QUERN_DEVICE void map(To* y, int n, F f, const T*... arrays) const {
        if (Lanes == 1 || (aligned16(y) && ... && aligned16(arrays))) {
            map(true, y, n, f, arrays...);
        } else {
            map(false, y, n, f, arrays...);
        }
    }

private:
    template <class T>
    QUERN_DEVICE void load(const T* row, int n, float rest, bool whole) {
#pragma unroll
        for (int j = 0; j < kPacks; j++) {
            if (at(j) < n) {
                packs[j] = load_floats<Lanes>(row + at(j), whole);
            } else {
#pragma unroll
                for (int i = 0; i < Lanes; i++) {
                    packs[j][i] = rest;
                }
            }
        }
    }

    template <class To, class F, class... T>
    QUERN_DEVICE void map(bool whole, To* y, int n, F f, const T*... arrays) const {
#pragma unroll
        for (int j = 0; j < kPacks; j++) {
            if (at(j) < n) {
                [&](const auto&... values) {
                    Vec<float, Lanes> out;
#pragma unroll
                    for (int i = 0; i < Lanes; i++) {
                        out[i] = f(at(j) + i, packs[j][i], values[i]...);
                    }
                    store_floats(y + at(j), out, whole);
                }(load_floats<Lanes>(arrays + at(j), whole)...);
            }
        }
    }
};

/// Division of several numbers by the same one, rounded as a division is: Markstein's correction of a product with the inverse
/// ("Computation of elementary functions on the IBM RISC System/6000 processor", IBM J. Res. Dev. 34, 1990), for
/// divisors from 2^-100 to 2^100 and, to the last bit, quotients that are normal numbers. A NaN stays one.
struct Quotients {
    float divisor, inverse;

    QUERN_DEVICE explicit Quotients(float by) : divisor(by), inverse(reciprocal(by)) {}

    QUERN_DEVICE float of(float x) const {
        const float q = x * inverse;
        return fmaf(fmaf(-q, divisor, x), inverse, q);
    }
};

}  // namespace quern
