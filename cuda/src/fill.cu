// y[i] = value.
// fill_f32(float* y, float value, int64 n)   fill_bf16(bf16* y, float value, int64 n)
#include "elementwise.cuh"
#include "ptx/launch.cuh"

namespace quern::fill {

template <class T>
QUERN_DEVICE void run(T* y, T value, long long n) {
    constexpr int lanes = kLanes<T>;
    Pack<T> pack;
#pragma unroll
    for (int j = 0; j < lanes; j++) {
        pack[j] = value;
    }
    long long packs = aligned16(y) ? n / lanes : 0;
    for_each(packs, [&](long long p) { store_pack(y + p * lanes, pack); });
    for_each(n - packs * lanes, [&](long long i) { y[packs * lanes + i] = value; });
}

}  // namespace quern::fill

QUERN_KERNEL_BY_DTYPE(256, fill, (T* y, float value, long long n), {
    overlap_launches();
    fill::run(y, from_float<T>(value), n);
})
