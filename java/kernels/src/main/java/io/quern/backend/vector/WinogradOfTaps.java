package io.quern.backend.vector;

/** The transforms in Java of the size that a filter's taps ask for: 3 x 3 or 5 x 5. Addresses and strides are in bytes. */
final class WinogradOfTaps {
    private WinogradOfTaps() {}

    /** One element of the filter with its output channels. */
    static void filter(
            int taps, long from, long tap, long row, int depth, long buffer, long to, long wideBytes, long point) {
        if (taps == 3) {
            WinogradTransforms.filter(from, tap, row, depth, buffer, to, wideBytes, point);
        } else {
            WinogradFive.filter(from, tap, row, depth, buffer, to, wideBytes, point);
        }
    }

    /** A tile of results. */
    static void result(
            int taps,
            long product,
            long point,
            int vectors,
            long buffer,
            long bias,
            int bound,
            long to,
            long pixel,
            long row,
            long seen) {
        if (taps == 3) {
            WinogradTransforms.resultColumns(product, point, vectors, buffer);
            WinogradTransforms.resultRows(buffer, vectors, bias, bound, to, pixel, row, seen);
        } else {
            WinogradFive.resultColumns(product, point, vectors, buffer);
            WinogradFive.resultRows(buffer, vectors, bias, bound, to, pixel, row, seen);
        }
    }

    /** The gradient by an element of the filter. */
    static void gradient(int taps, long from, long point, int vectors, long buffer, long to, long tap, long seen) {
        if (taps == 3) {
            WinogradTransforms.gradient(from, point, vectors, buffer, to, tap, seen);
        } else {
            WinogradFive.gradient(from, point, vectors, buffer, to, tap, seen);
        }
    }
}
