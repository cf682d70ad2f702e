package io.quern.backend.vector;

/** Rows of images copied between zeros, which {@link StemFilterGradient} reads at the offsets of taps. */
record StemRows(ConvShape shape, ConvAxis h, long row) {
    StemRows(ConvShape shape) {
        this(shape, shape.forwardH(), (long) shape.forwardW().reach(shape.q()) * shape.c() * Float.BYTES);
    }

    /** Bytes of the rows that {@code lines} rows of results read. */
    long bytes(int lines) {
        return h.reach(lines) * row;
    }

    /** What {@code lines} rows of results from {@code top} read of image {@code n}. */
    void copy(long x, int n, int top, int lines, long to) {
        long pixel = 4L * shape.c(), line = shape.w() * pixel, image = x + n * shape.h() * line;
        int wide = (int) (row / pixel), left = Math.min(wide, shape.geometry().paddingW());
        int live = Math.min(shape.w(), wide - left);
        int first = top * shape.geometry().strideH() - shape.geometry().paddingH();
        int rows = h.reach(lines);
        Copies.zero(to, rows * row);
        for (int y = Math.max(first, 0), end = Math.min(first + rows, shape.h()); y < end; y++) {
            Copies.copy(image + y * line, to + (y - first) * row + left * pixel, live * pixel);
        }
    }
}
