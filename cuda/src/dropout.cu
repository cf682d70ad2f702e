// y[i] = x[i] scale where draw i is at least threshold, else 0: io.quern.op.Dropout, bit for bit. y may be x.
// Draw i is lane i % 8 of Philox block i / 8, so a thread takes 8 elements: one block, two loads of 16 bytes in f32, one in bf16.
// dropout_f32(const float* x, float* y, RngKey rng, const u32* step, u32 threshold, float scale, int64 n)
//   rng: 16 bytes by value, {seed low, seed high, stream, step}; step: null, or where rng's step is read from
// dropout_bf16: the same with bf16 tensors
#include "elementwise.cuh"
#include "philox.cuh"

namespace quern::dropout {

template <class T>
QUERN_DEVICE void run(const T* x, T* y, RngKey rng, const u32* step, u32 threshold, float scale, long long n) {
    if (step != nullptr) {
        rng.step = *step;
    }
    bool aligned = aligned16(x) && aligned16(y);
    for_each((n + 7) / 8, [&](long long block) {
        u32 words[4];
        philox(rng, static_cast<u64>(block), words);
        long long first = block * 8;
        auto value = [&](T v, int lane) {
            return lane16(words, lane) < threshold ? from_float<T>(0.0f) : from_float<T>(to_float(v) * scale);
        };
        if (aligned && first + 8 <= n) {
            constexpr int lanes = kLanes<T>;
#pragma unroll
            for (int part = 0; part < 8 / lanes; part++) {
                Pack<T> in = load_pack(x + first + part * lanes), out;
#pragma unroll
                for (int j = 0; j < lanes; j++) {
                    out[j] = value(in[j], part * lanes + j);
                }
                store_pack(y + first + part * lanes, out);
            }
        } else {
#pragma unroll
            for (int lane = 0; lane < 8; lane++) {
                if (first + lane < n) {
                    y[first + lane] = value(x[first + lane], lane);
                }
            }
        }
    });
}

}  // namespace quern::dropout

QUERN_KERNEL_BY_DTYPE(256, dropout, (const T* x, T* y, RngKey rng, const u32* step, u32 threshold, float scale, long long n), {
    dropout::run(x, y, rng, step, threshold, scale, n);
})
