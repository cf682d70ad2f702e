// Extents and geometry of a convolution: Conv2dGeometry of the Java side. Image (n, h, w, c), filter (r, s, c / groups, k),
// result (n, p, q, k).
#pragma once

#include "division.cuh"

namespace quern {

struct Convolution {
    int n, h, w, c, r, s, k, p, q;
    int stride_h, stride_w, padding_h, padding_w, dilation_h, dilation_w, groups;
    Divider by_p, by_q;

    QUERN_DEVICE int group_c() const { return c / groups; }
    QUERN_DEVICE int group_k() const { return k / groups; }
    QUERN_DEVICE int result_pixels() const { return n * p * q; }
};
static_assert(sizeof(Convolution) == 80);

/// A result pixel's image, and the image row and column that tap (0, 0) sees.
struct Origin {
    int image, y, x;

    QUERN_DEVICE Origin(const Convolution& conv, int pixel) {
        const int row = conv.by_q.quotient(pixel);
        image = conv.by_p.quotient(row);
        y = (row - image * conv.p) * conv.stride_h - conv.padding_h;
        x = (pixel - row * conv.q) * conv.stride_w - conv.padding_w;
    }
};

/// Far outside any image, and no overflow when a filter's extent is added.
inline constexpr int kOutside = -(1 << 30);

QUERN_DEVICE bool within(int y, int x, int height, int width) {
    return static_cast<unsigned>(y) < static_cast<unsigned>(height) && static_cast<unsigned>(x) < static_cast<unsigned>(width);
}

/// A numbering of strips of neighbours in a row, channels fastest, for kernels with a thread per strip: channels (in lanes of
/// some), strips of a row, rows of an image.
struct Strips {
    int lanes, strips, rows;
    int count;
    Divider by_lanes, by_strips, by_rows;
};
static_assert(sizeof(Strips) == 40);

struct Strip {
    int lane, first, row, image;

    QUERN_DEVICE Strip(const Strips& s, int index) {
        const int strip = s.by_lanes.quotient(index);
        const int all_rows = s.by_strips.quotient(strip);
        lane = index - strip * s.lanes;
        first = strip - all_rows * s.strips;
        image = s.by_rows.quotient(all_rows);
        row = all_rows - image * s.rows;
    }
};

}  // namespace quern
