// y[i] = x[i] scale where draw i is at least threshold, else 0: io.quern.op.Dropout, bit for bit. y may be x.
// Draw i is lane i % 8 of Philox block i / 8, so a thread takes 8 elements: in bf16 one block and one load of 16 bytes, in f32 two
// loads, and each pair of lanes shares two blocks.
// dropout_f32(const float* x, float* y, RngKey rng, const u32* step, u32 threshold, float scale, int64 n)
//   rng: 16 bytes by value, {seed low, seed high, stream, step}; step: null, or where rng's step is read from
// dropout_bf16: the same with bf16 tensors
#include "elementwise.cuh"
#include "philox.cuh"
#include "ptx/warp.cuh"

namespace quern::dropout {

struct Mask {
    u32 threshold;
    float scale;

    QUERN_DEVICE float of(float v, u32 draw) const { return draw < threshold ? 0.0f : v * scale; }

    /// Neighbours from an even index on, to y; words: the draws of two each, compared in the upper half of a word, where the
    /// other draw, of less weight, may stay behind the upper one.
    template <class T>
    QUERN_DEVICE void store(T* y, const Pack<T>& in, const u32* words) const {
        Vec<float, kLanes<T>> values;
        to_floats(in, values.v);
#pragma unroll
        for (int j = 0; j < kLanes<T>; j++) {
            const u32 draw = j % 2 == 0 ? words[j / 2] << 16 : words[j / 2];
            values[j] = draw < threshold << 16 ? 0.0f : values[j] * scale;
        }
        store_floats(y, values);
    }
};

/// A thread's block of a warp's 32. What is read is under way while the draws are computed.
QUERN_DEVICE void whole(const bf16* x, bf16* y, const RngKey& rng, long long block, const Mask& mask) {
    const Pack<bf16> in = load_pack(x + block * 8);
    u32 words[4];
    philox(rng, static_cast<u64>(block), words);
    mask.store(y + block * 8, in, words);
}

/// The same for f32, where a warp's access is to be of neighbouring packs, while a block of draws is for two: a pair of lanes
/// has the blocks k and k + 16 of the warp, the even lane the first packs of both, the odd one the second.
QUERN_DEVICE void whole(const float* x, float* y, const RngKey& rng, long long block, const Mask& mask) {
    const int lane = static_cast<int>(block) & 31;
    const long long first = block - lane, at = first * 8 + lane * 4;
    const Pack<float> low = load_pack(x + at), high = load_pack(x + at + 128);
    const bool odd = (lane & 1) != 0;
    u32 words[4];
    philox(rng, static_cast<u64>(first + lane / 2 + (odd ? 16 : 0)), words);
    const u32 other[2] = {shuffle_xor(odd ? words[0] : words[2], 1), shuffle_xor(odd ? words[1] : words[3], 1)};
    const u32 of_low[2] = {odd ? other[0] : words[0], odd ? other[1] : words[1]};
    const u32 of_high[2] = {odd ? words[2] : other[0], odd ? words[3] : other[1]};
    mask.store(y + at, low, of_low);
    mask.store(y + at + 128, high, of_high);
}

template <class T>
QUERN_DEVICE void run(const T* x, T* y, RngKey rng, const u32* step, const Mask& mask, long long n) {
    if (step != nullptr) {
        rng.step = *step;
    }
    const bool aligned = aligned16(x) && aligned16(y);
    for_each((n + 7) / 8, [&](long long block) {
        if (aligned && (block | 31) < n / 8) {  // of a warp: it begins at a multiple of 32
            whole(x, y, rng, block, mask);
            return;
        }
        u32 words[4];
        philox(rng, static_cast<u64>(block), words);
#pragma unroll
        for (int lane = 0; lane < 8; lane++) {
            const long long i = block * 8 + lane;
            if (i < n) {
                y[i] = from_float<T>(mask.of(to_float(x[i]), lane16(words, lane)));
            }
        }
    });
}

}  // namespace quern::dropout

QUERN_KERNEL_BY_DTYPE(256, dropout, (const T* x, T* y, RngKey rng, const u32* step, u32 threshold, float scale, long long n), {
    dropout::run(x, y, rng, step, dropout::Mask{threshold, scale}, n);
})
