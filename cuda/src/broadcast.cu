// y[o, r, i] = scale x[o, i] for y seen as [outer, repeated, inner].
// broadcast_f32(const float* x, float* y, float scale, Repeat repeat, int64 n)   in units of one element, or of 16 bytes of y
//   where repeat.packed is set: n of them in y
// broadcast_bf16: the same with bf16 tensors   broadcast_f32_bf16: y alone in bf16
#include "division.cuh"
#include "elementwise.cuh"

namespace quern::broadcast {

/// Units of inner, and of repeated * inner.
struct Repeat {
    long long inner, all;
    /// Of those, where y has fewer than 2^31 units.
    Divider by_inner, by_all;
    int packed;

    /// The unit of x that unit i of y repeats; few: y has fewer than 2^31.
    QUERN_DEVICE long long source(long long i, bool few) const {
        if (few) {
            int n = static_cast<int>(i), outer = by_all.quotient(n), rest = n - outer * static_cast<int>(all);
            return static_cast<long long>(outer) * inner + (rest - by_inner.quotient(rest) * static_cast<int>(inner));
        }
        return i / all * inner + i % inner;
    }
};
static_assert(sizeof(Repeat) == 40);

template <int Lanes, class From, class To>
QUERN_DEVICE void run(const From* x, To* y, float scale, const Repeat& repeat, long long n) {
    const bool few = n < 1LL << 31;
    for_each(n, [&](long long i) {
        Vec<float, Lanes> v = load_floats<Lanes>(x + repeat.source(i, few) * Lanes);
#pragma unroll
        for (int j = 0; j < Lanes; j++) {
            v[j] *= scale;
        }
        store_floats(y + i * Lanes, v);
    });
}

template <class From, class To>
QUERN_DEVICE void run(const From* x, To* y, float scale, const Repeat& repeat, long long n) {
    if (repeat.packed) {
        run<kLanes<To>>(x, y, scale, repeat, n);
    } else {
        run<1>(x, y, scale, repeat, n);
    }
}

}  // namespace quern::broadcast

QUERN_KERNEL_BY_DTYPE(256, broadcast, (const T* x, T* y, float scale, broadcast::Repeat repeat, long long n), {
    broadcast::run(x, y, scale, repeat, n);
})

QUERN_KERNEL(256, broadcast_f32_bf16, const float* x, quern::bf16* y, float scale, quern::broadcast::Repeat repeat, long long n) {
    quern::broadcast::run(x, y, scale, repeat, n);
}
