package io.quern.backend.vector;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Tensor;
import java.util.List;

/**
 * result = source correlated with a filter along two axes: a convolution forward, or its gradient by the image.
 *
 * <p>No im2col: register tiles read a padded slab of the source in place. In NHWC the taps of one filter row and their
 * channels are neighbours in memory, so a row of taps is one run of S x C multiply-adds. The filter is packed once per
 * call into panels of columns. Every result element is one chain of fused multiply-adds in the order of taps.
 */
final class Correlation {
    /** Multiply-adds below which threads cost more than they bring. */
    private static final double PARALLEL = 1 << 19;

    private final ConvAxis h;
    private final ConvAxis w;
    private final ConvSlabs slabs;
    private final boolean forward;
    private final ConvShape shape;
    private final boolean depthwise;
    /** 1 for a depthwise convolution, whose channels are columns. */
    private final int groups;
    /** Source channels that a result sums over. */
    private final int depth;
    /** Result channels of a group. */
    private final int width;

    private final int sourceChannels;
    private final int resultChannels;
    /** Columns of a panel. */
    private final int columns;

    private final Phase[] phases;
    private final int panels;
    /** Rows of a panel of the filter. */
    private final int filterRows;

    /** The results that share their taps: along each axis one of every {@code spread}. */
    private record Phase(
            List<ConvAxis.Tap> h, List<ConvAxis.Tap> w, int filterRow, ConvTile.Walk whole, ConvTile.Walk odd) {}

    private Correlation(ConvShape shape, boolean forward) {
        this.shape = shape;
        this.forward = forward;
        h = forward ? shape.forwardH() : shape.backwardH();
        w = forward ? shape.forwardW() : shape.backwardW();
        depthwise = shape.depthwise();
        groups = depthwise ? 1 : shape.groups();
        sourceChannels = forward ? shape.c() : shape.k();
        resultChannels = forward ? shape.k() : shape.c();
        depth = depthwise ? 1 : sourceChannels / groups;
        width = resultChannels / groups;
        columns = depthwise ? Lanes.FLOATS : ConvTile.COLUMNS;
        slabs = ConvSlabs.of(h, w, shape.n(), sourceChannels, depthwise && width % columns != 0);
        panels = (width + columns - 1) / columns;
        phases = new Phase[h.phases().size() * w.phases().size()];
        int rows = 0;
        for (int i = 0; i < phases.length; i++) {
            int phaseH = i / w.phases().size();
            int phaseW = i % w.phases().size();
            phases[i] = phase(phaseH, phaseW, rows);
            rows += phases[i].h.size() * phases[i].w.size() * depth;
        }
        filterRows = rows;
    }

    /** x to y. */
    static Correlation forward(ConvShape shape) {
        return new Correlation(shape, true);
    }

    /** dy to dx. */
    static Correlation backward(ConvShape shape) {
        return new Correlation(shape, false);
    }

    private Phase phase(int phaseH, int phaseW, int filterRow) {
        List<ConvAxis.Tap> tapsH = h.phases().get(phaseH);
        List<ConvAxis.Tap> tapsW = w.phases().get(phaseW);
        long pixel = (long) sourceChannels * Float.BYTES;
        boolean runs = groups == 1 && w.dense() && !tapsW.isEmpty();
        int perRow = runs ? 1 : tapsW.size();
        long[] taps = new long[tapsH.size() * perRow];
        for (int i = 0; i < taps.length; i++) {
            taps[i] = (tapsH.get(i / perRow).offset() - h.low()) * slabs.rowBytes()
                    + (tapsW.get(i % perRow).offset() - w.low()) * pixel;
        }
        int kc = runs ? tapsW.size() * depth : depth;
        long cs = depthwise ? pixel : Float.BYTES;
        int last = slabs.count() - 1;
        ConvTile.Walk whole = new ConvTile.Walk(taps, kc, cs, rows(phaseH, phaseW, 0));
        ConvTile.Walk odd =
                last > 0 && slabs.odd(last) ? new ConvTile.Walk(taps, kc, cs, rows(phaseH, phaseW, last)) : whole;
        return new Phase(tapsH, tapsW, filterRow, whole, odd);
    }

    private ConvRows rows(int phaseH, int phaseW, int slab) {
        int liveH = h.live(phaseH, slabs.from(slab), slabs.to(slab));
        int liveW = w.live(phaseW, 0, w.units());
        int images = slabs.images(slab);
        long pixel = (long) sourceChannels * Float.BYTES;
        long resultPixel = (long) resultChannels * Float.BYTES;
        ConvRows rows = ConvRows.allocate(images * liveH * liveW);
        int row = 0;
        for (int image = 0; image < images; image++) {
            for (int u = 0; u < liveH; u++) {
                long source = image * slabs.imageBytes() + u * h.stride() * slabs.rowBytes();
                long result = ((long) image * h.results() + u * h.spread() + phaseH) * w.results() + phaseW;
                for (int v = 0; v < liveW; v++) {
                    rows.set(row++, source + v * w.stride() * pixel, (result + (long) v * w.spread()) * resultPixel);
                }
            }
        }
        return rows.pad();
    }

    /**
     * @param bias one float per result channel, or null
     * @param relu whether negative results become 0
     * @param epilogue for finished blocks of a forward convolution, or null
     */
    void run(
            Tensor source,
            Tensor filter,
            Tensor bias,
            Tensor result,
            boolean relu,
            Epilogue epilogue,
            Scratch scratch,
            WorkerPool pool) {
        if (slabs.count() == 0 || width == 0) {
            return;
        }
        long from = source.address();
        long to = result.address();
        long packedBytes = (long) groups * panels * filterRows * columns * Float.BYTES;
        long biasBytes = (long) groups * panels * columns * Float.BYTES;
        long sharedBytes = packedBytes + biasBytes;
        long total = sharedBytes + ConvTile.SCRATCH + slabs.bytes();
        long shared = scratch.address(total);
        long biases = shared + packedBytes;
        Thread caller = Thread.currentThread();
        int floor = relu ? 0 : ConvTile.UNBOUNDED;
        boolean parallel = shape.work() >= PARALLEL;
        long filters = filter.address();
        long biasAddress = bias == null ? 0 : bias.address();
        Blocks.run(pool, parallel && packedBytes > 1 << 16, groups * panels, panel -> {
            pack(filters, panel, shared + (long) panel * filterRows * columns * Float.BYTES);
            packBias(biasAddress, panel, biases);
        });
        Blocks.run(pool, parallel, slabs.count(), slab -> {
            long own = (Thread.currentThread() == caller ? shared : scratch.address(total)) + sharedBytes;
            slab(slab, from, to, shared, biases, own, floor, epilogue);
        });
    }

    /** Columns of a panel of a group that exist. */
    private int wide(int panel) {
        return Math.min(columns, width - panel % panels * columns);
    }

    /** Floats from a row of the packed panel to the next. */
    private int pitch(int wide) {
        return wide > Lanes.FLOATS ? columns : Lanes.FLOATS;
    }

    private void pack(long filter, int panel, long to) {
        int wide = wide(panel);
        int pitch = pitch(wide);
        int group = panel / panels;
        int column = panel % panels * columns;
        long k = shape.k();
        long rowStride = (forward ? k : 1) * Float.BYTES;
        long columnStride = (forward || depthwise ? 1 : k) * Float.BYTES;
        long start = filter + group * (k / groups) * Float.BYTES + column * columnStride;
        for (Phase phase : phases) {
            long at = to + (long) phase.filterRow * columns * Float.BYTES;
            for (ConvAxis.Tap tapH : phase.h) {
                for (ConvAxis.Tap tapW : phase.w) {
                    long tap = ((long) tapH.index() * shape.s() + tapW.index()) * shape.groupC() * k * Float.BYTES;
                    Copies.rows(start + tap, rowStride, columnStride, depth, wide, at, pitch);
                    at += (long) depth * pitch * Float.BYTES;
                }
            }
        }
    }

    private void packBias(long bias, int panel, long biases) {
        long to = biases + (long) panel * columns * Float.BYTES;
        Copies.zero(to, columns * Float.BYTES);
        if (bias != 0) {
            int first = panel / panels * width + panel % panels * columns;
            Copies.copy(bias + (long) first * Float.BYTES, to, (long) wide(panel) * Float.BYTES);
        }
    }

    private void slab(int slab, long from, long to, long packed, long biases, long own, int floor, Epilogue epilogue) {
        long a = slabs.open(slab, from, own + ConvTile.SCRATCH);
        long firstPixel = ((long) slabs.firstImage(slab) * h.results() + slabs.from(slab) * h.spread()) * w.results();
        long c = to + firstPixel * resultChannels * Float.BYTES;
        boolean odd = slabs.odd(slab);
        for (int panel = 0; panel < groups * panels; panel++) {
            int group = panel / panels;
            int column = group * width + panel % panels * columns;
            int wide = wide(panel);
            long b = packed + (long) panel * filterRows * columns * Float.BYTES;
            long bias = biases + (long) panel * columns * Float.BYTES;
            for (Phase phase : phases) {
                ConvTile.Walk walk = odd ? phase.odd : phase.whole;
                long rows = b + (long) phase.filterRow * columns * Float.BYTES;
                long pitch = (long) pitch(wide) * Float.BYTES;
                long result = c + (long) column * Float.BYTES;
                if (depthwise) {
                    ConvTile.depthwise(
                            walk, a + (long) column * Float.BYTES, rows, pitch, result, wide, bias, floor, false, own);
                } else {
                    long first = a + (long) group * depth * Float.BYTES;
                    ConvTile.panel(walk, first, rows, pitch, result, wide, bias, floor, false, own);
                }
            }
        }
        if (epilogue != null) {
            int pixels = slabs.images(slab) * (slabs.to(slab) - slabs.from(slab)) * w.results();
            epilogue.apply(
                    c, (long) resultChannels * Float.BYTES, Math.toIntExact(firstPixel), pixels, 0, resultChannels);
        }
    }
}
