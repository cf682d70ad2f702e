// Loaders for the implicit matrix products of a convolution on tensor cores: taps.cuh's order of terms, mma_tile.cuh's operands.
// Vector: channels of a group are a multiple of 16 bytes, so that a chunk is of one tap and one copy. Otherwise f32 elements are
// copied one by one, and bf16 ones, which are too narrow for that, wait in registers while the tiles before are multiplied.
#pragma once

#include "mma_tile.cuh"
#include "taps.cuh"

namespace quern {

/// An operand whose chunks, or elements, have addresses of their own.
template <class T, int Width, bool Along, bool Vector>
struct GatheredOperand : OperandTile<T, Width, Along> {
    using Base = OperandTile<T, Width, Along>;
    /// What is copied at once of a chunk.
    static constexpr int kPieces = Vector ? 1 : Base::kPerChunk;
    static constexpr bool kHolds = !Vector && sizeof(T) == 2;
    Pack<T> held[kHolds ? Base::kCount : 1];

    /// Copies a piece of the chunk of one of the thread's lines, zeros if it is not there.
    QUERN_DEVICE void copy(char* tile, int line, int piece, const T* from, bool there) {
        char* to = tile + Base::own_place() + line * (Base::kLineStep * Base::kChunks * 16);
        if constexpr (Vector) {
            copy_async<16>(to, from, there);
        } else if constexpr (kHolds) {
            held[line][piece] = there ? *from : T{};
        } else {
            copy_async<4>(to + piece * 4, from, there);
        }
    }

    /// Brings to the tile what still waits in registers.
    QUERN_DEVICE void settle(char* tile) {
        if constexpr (kHolds) {
            char* to = tile + Base::own_place();
#pragma unroll
            for (int i = 0; i < Base::kCount; i++) {
                store_pack(reinterpret_cast<T*>(to + i * (Base::kLineStep * Base::kChunks * 16)), held[i]);
            }
        }
    }
};

/// Lines are runs of terms in the order of the taps, of which so many are left: find(line of the thread, walk, there) tells the
/// address of a term, and may find that it is not there.
template <class T, int Width, bool Vector, class Find>
QUERN_DEVICE void gather(GatheredOperand<T, Width, true, Vector>& operand, char* tile, const Taps& taps, TapWalk walk, int left,
                         Find find) {
    using Operand = GatheredOperand<T, Width, true, Vector>;
#pragma unroll
    for (int j = 0; j < Operand::kPieces; j++) {
#pragma unroll
        for (int i = 0; i < Operand::kCount; i++) {
            bool there = Operand::own_element() + j < left;
            const T* from = find(i, walk, there);
            operand.copy(tile, i, j, from, there);
        }
        if (j + 1 < Operand::kPieces) {
            walk.advance(taps, 1);
        }
    }
}

/// Lines are pixels: terms are what the taps see from them, zero outside the image.
template <class T, int Width, bool Vector>
struct WindowOperand : GatheredOperand<T, Width, true, Vector> {
    using Base = GatheredOperand<T, Width, true, Vector>;
    /// Of the first image that the block sees, at the group's first channel.
    const T* image;
    int height, width;
    int y[Base::kCount], x[Base::kCount], at[Base::kCount];

    /// A line's pixel: its place, and its distance in elements from the image's start, which may be outside.
    QUERN_DEVICE void place(int i, int to_y, int to_x, int distance) {
        y[i] = to_y;
        x[i] = to_x;
        at[i] = distance;
    }

    QUERN_DEVICE void load(char* tile, const Taps& taps, const TapWalk& walk, int left) {
        gather<T, Width, Vector>(*this, tile, taps, walk, left, [&](int i, const TapWalk& w, bool& there) {
            there = there && within(y[i] + w.y, x[i] + w.x, height, width);
            return image + (at[i] + w.offset);
        });
    }
};

/// Lines are rows of the filter, of which so many are left; terms are found by the walk's other offset.
template <class T, int Width, bool Vector>
struct FilterOperand : GatheredOperand<T, Width, true, Vector> {
    using Base = GatheredOperand<T, Width, true, Vector>;
    /// The thread's first line, elements to the next line.
    const T* from;
    int pitch, lines;

    QUERN_DEVICE void load(char* tile, const Taps& taps, const TapWalk& walk, int left) {
        gather<T, Width, Vector>(*this, tile, taps, walk, left, [&](int i, const TapWalk& w, bool& there) {
            there = there && Base::own_line() + i * Base::kLineStep < lines;
            return from + static_cast<long long>(i * Base::kLineStep) * pitch + w.other;
        });
    }
};

/// What a tap and a channel add to a pixel's place and address.
struct TapPlace {
    int y, x, offset;

    TapPlace() = default;
    /// Term of the taps (filter element of one result channel), of so many.
    QUERN_DEVICE TapPlace(const Convolution& conv, int term, int terms) {
        const int group_c = conv.group_c(), tap = term / max_of(group_c, 1);
        y = term < terms ? tap / conv.s * conv.dilation_h : kOutside;
        x = tap % conv.s * conv.dilation_w;
        offset = term < terms ? (y * conv.w + x) * conv.c + term - tap * group_c : 0;
    }
};

/// Lines are result pixels, their elements terms of the taps: what the taps see there. places: Width of them in shared memory,
/// of which Vector needs none but the thread's own.
template <class T, int Width, bool Vector>
struct PixelOperand : GatheredOperand<T, Width, false, Vector> {
    using Base = GatheredOperand<T, Width, false, Vector>;

    const Convolution& conv;
    const T* image;
    const TapPlace* places;
    int pixel;
    TapPlace own;

    /// Pixels from a first one on; image: at the group's first channel.
    QUERN_DEVICE PixelOperand(const Convolution& conv, const T* image, const TapPlace* places, int first, int term, int terms)
        : conv(conv), image(image), places(places), pixel(first + Base::own_line()) {
        if (Vector) {
            own = TapPlace(conv, term + Base::own_element(), terms);
        }
    }

    /// The next pixels, of which so many are left.
    QUERN_DEVICE void load(char* tile, int left) {
#pragma unroll
        for (int i = 0; i < Base::kCount; i++) {
            const Origin origin(conv, pixel + i * Base::kLineStep);
            const bool counts = Base::own_line() + i * Base::kLineStep < left;
            // outside the image it may be anything
            const long long row = static_cast<long long>(origin.image) * conv.h + origin.y;
            const T* from = image + (row * conv.w + origin.x) * conv.c;
#pragma unroll
            for (int j = 0; j < Base::kPieces; j++) {
                const TapPlace tap = Vector ? own : places[Base::own_element() + j];
                const bool there = counts && within(origin.y + tap.y, origin.x + tap.x, conv.h, conv.w);
                this->copy(tile, i, j, from + tap.offset, there);
            }
        }
        pixel += Base::kDepth;
    }
};

}  // namespace quern
