// Loaders for the implicit matrix products of a convolution: operands that are gathered from an image, without an index
// division per element. Vector: channels, and addresses, are multiples of four, so that four terms are of one tap and one load.
#pragma once

#include "convolution.cuh"
#include "tile.cuh"

namespace quern {

/// A filter's taps in the order of a sum: rows, columns, channels. Steps are in pixels of the image that is read, next_column
/// and next_row in its elements, from behind the last channel of a tap to the first channel of the next tap, and from there
/// to the next row's first tap; the other_ ones are the same of a second operand.
struct Taps {
    int channels, columns;
    int step_y, step_x;
    int next_column, next_row;
    int other_column, other_row;
};

/// A place in the order of the taps, and what it adds to a pixel's place and address.
struct TapWalk {
    int channel, column, y, x, offset, other;

    QUERN_DEVICE TapWalk(const Taps& taps, int term) {
        const int tap = term / taps.channels;
        const int row = tap / taps.columns;
        channel = term - tap * taps.channels;
        column = tap - row * taps.columns;
        y = row * taps.step_y;
        x = column * taps.step_x;
        offset = term + tap * taps.next_column + row * taps.next_row;
        other = term + tap * taps.other_column + row * taps.other_row;
    }

    QUERN_DEVICE void advance(const Taps& taps, int terms) {
        channel += terms;
        offset += terms;
        other += terms;
        while (channel >= taps.channels) {
            channel -= taps.channels;
            offset += taps.next_column;
            other += taps.other_column;
            x += taps.step_x;
            if (++column == taps.columns) {
                column = 0;
                x = 0;
                y += taps.step_y;
                offset += taps.next_row;
                other += taps.other_row;
            }
        }
    }
};

/// How a Depth x Width tile whose neighbours in memory are terms is spread over the threads: four terms each, of kCount lines.
template <int Depth, int Width>
struct Along {
    static constexpr int kCount = Depth * Width / 4 / kTileThreads;

    QUERN_DEVICE static int term() { return static_cast<int>(threadIdx.x) % (Depth / 4) * 4; }
    QUERN_DEVICE static int line(int i) {
        return static_cast<int>(threadIdx.x) / (Depth / 4) + i * (kTileThreads / (Depth / 4));
    }

    /// Copies one of the thread's terms, or all four, to its places in a tile.
    template <bool All>
    QUERN_DEVICE static void copy(float* tile, int i, int element, const float* from, bool there) {
#pragma unroll
        for (int j = 0; j < (All ? 4 : 1); j++) {
            copy_async<4>(tile + (term() + element + j) * (Width + 4) + line(i), from + j, there);
        }
    }
};

/// Lines are pixels: terms are what the taps see from them, zero outside the image.
template <int Depth, int Width, bool Vector>
struct WindowLoader : Along<Depth, Width> {
    using Base = Along<Depth, Width>;
    const float* from[Base::kCount];
    int y[Base::kCount], x[Base::kCount];

    /// A line's pixel: its place, and its address, which may be outside the image.
    QUERN_DEVICE void place(int i, int to_y, int to_x, const float* address) {
        y[i] = to_y;
        x[i] = to_x;
        from[i] = address;
    }

    QUERN_DEVICE void load(float* tile, const TapWalk& walk, bool valid, int height, int width, int element) {
#pragma unroll
        for (int i = 0; i < Base::kCount; i++) {
            const bool there = valid && within(y[i] + walk.y, x[i] + walk.x, height, width);
            Base::template copy<Vector>(tile, i, element, from[i] + walk.offset, there);
        }
    }
};

/// Lines are rows of the filter, of which so many are left; terms are found by the walk's other offset.
template <int Depth, int Width, bool Vector>
struct FilterLoader : Along<Depth, Width> {
    using Base = Along<Depth, Width>;
    const float* from[Base::kCount];
    int lines;

    QUERN_DEVICE void load(float* tile, const TapWalk& walk, bool valid, int element) {
#pragma unroll
        for (int i = 0; i < Base::kCount; i++) {
            Base::template copy<Vector>(tile, i, element, from[i] + walk.other, valid && Base::line(i) < lines);
        }
    }
};

/// Columns are terms of the taps (filter elements of one result channel), lines are result pixels: what the taps see there.
template <int Depth, int Width, bool Vector>
struct PixelLoader {
    static constexpr int kCount = Depth * Width / 4 / kTileThreads;
    static constexpr int kLines = kTileThreads / (Width / 4);
    static constexpr int kTaps = Vector ? 1 : 4;

    const Convolution& conv;
    const float* image;
    int pixel;
    int y[kTaps], x[kTaps], channel[kTaps];

    /// Pixels from a first one on; terms from a first one on. image: at the group's first channel.
    QUERN_DEVICE PixelLoader(const Convolution& conv, const float* image, int first, int term, int terms)
        : conv(conv), image(image), pixel(first + own_line()) {
        const int group_c = conv.group_c();
#pragma unroll
        for (int j = 0; j < kTaps; j++) {
            const int own = term + own_column() + j;
            const int tap = own / group_c;
            channel[j] = own - tap * group_c;
            y[j] = own < terms ? tap / conv.s * conv.dilation_h : kOutside;
            x[j] = tap % conv.s * conv.dilation_w;
        }
    }

    /// The next pixels, of which so many are left.
    QUERN_DEVICE void load(float* tile, int left) {
#pragma unroll
        for (int i = 0; i < kCount; i++) {
            const Origin origin(conv, pixel + i * kLines);
            float* target = tile + (own_line() + i * kLines) * (Width + 4) + own_column();
#pragma unroll
            for (int j = 0; j < kTaps; j++) {
                const int to_y = origin.y + y[j], to_x = origin.x + x[j];
                const bool there = own_line() + i * kLines < left && within(to_y, to_x, conv.h, conv.w);
                // unsigned: outside the image it may be anything
                const u32 to = (static_cast<u32>(origin.image * conv.h) + to_y) * conv.w + to_x;
                copy_async<Vector ? 16 : 4>(target + j, image + static_cast<long long>(to) * conv.c + channel[j], there);
            }
        }
        pixel += Depth;
    }

private:
    QUERN_DEVICE static int own_line() { return static_cast<int>(threadIdx.x) / (Width / 4); }
    QUERN_DEVICE static int own_column() { return static_cast<int>(threadIdx.x) % (Width / 4) * 4; }
};

}  // namespace quern
