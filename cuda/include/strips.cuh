// Which pixels and channels of an image (n, h, w, c) a thread has.
#pragma once

#include "division.cuh"

namespace quern {

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
