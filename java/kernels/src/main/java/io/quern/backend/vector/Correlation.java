package io.quern.backend.vector;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * result = source correlated with a filter along two axes: a convolution forward, or its gradient by the image.
 *
 * <p>No im2col: register tiles read the source in place, or, by the image and where it has few channels, a padded slab of
 * it. In NHWC the taps of one filter row and their channels are neighbours in memory, so a row of taps is one run of S x C
 * multiply-adds. In place, results of which some taps lie outside have walks of their own without these. The filter is
 * packed once per call into panels of columns. Every result element is one chain of fused multiply-adds in the order of
 * taps.
 */
final class Correlation {
    /** Multiply-adds below which threads cost more than they bring. */
    private static final double PARALLEL = 1 << 19;
    /** Bytes of a filter from which a slab should use it for more pixels: it does not stay in L2. */
    private static final long LARGE = 1 << 20;

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
    /** Per band, and last for a slab of fewer images; bands with equal borders share theirs. */
    private final List<List<Part>> parts;
    /** Whether slabs are copied, with zeros around them. */
    private final boolean copies;

    private final int panels;
    /** Rows of a panel of the filter. */
    private final int filterRows;

    /** The results that share their taps: along each axis one of every {@code spread}. */
    private record Phase(List<ConvAxis.Tap> h, List<ConvAxis.Tap> w, int filterRow) {}

    /** Results of a phase with the same taps inside the source. */
    private record Part(int filterRow, ConvTile.Walk walk) {}

    /** What the walks of a slab depend on. */
    private record Extents(int images, List<List<ConvAxis.Run>> runs) {}

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
        // By the image, the phases of a stride have few results each, and borders of their own would leave fewer.
        boolean thin = depth < Lanes.FLOATS || !forward;
        boolean wide = ConvTile.LARGE && !thin && width >= ConvTile.WIDE_COLUMNS;
        columns = depthwise ? Lanes.FLOATS : wide ? ConvTile.WIDE_COLUMNS : ConvTile.COLUMNS;
        copies = depthwise ? width % columns != 0 : thin && !(h.inside() && w.inside());
        slabs = copies || thin || shape.filterElements() * Float.BYTES < LARGE
                ? ConvSlabs.of(h, w, shape.n(), sourceChannels, copies)
                : ConvSlabs.large(h, w, shape.n(), sourceChannels);
        panels = width / columns + (width % columns > ConvTile.COLUMNS ? 2 : width % columns > 0 ? 1 : 0);
        phases = new Phase[h.phases().size() * w.phases().size()];
        int rows = 0;
        for (int i = 0; i < phases.length; i++) {
            List<ConvAxis.Tap> tapsH = h.phases().get(i / w.phases().size());
            List<ConvAxis.Tap> tapsW = w.phases().get(i % w.phases().size());
            phases[i] = new Phase(tapsH, tapsW, rows);
            rows += tapsH.size() * tapsW.size() * depth;
        }
        filterRows = rows;
        parts = parts();
    }

    /** x to y. */
    static Correlation forward(ConvShape shape) {
        return new Correlation(shape, true);
    }

    /** dy to dx. */
    static Correlation backward(ConvShape shape) {
        return new Correlation(shape, false);
    }

    private List<List<Part>> parts() {
        List<List<Part>> all = new ArrayList<>();
        Map<Extents, List<Part>> known = new HashMap<>();
        int last = slabs.count() - 1, bands = slabs.count() == 0 ? 0 : slabs.bands();
        for (int slab = 0; slab < bands; slab++) {
            all.add(known.computeIfAbsent(extents(slab), this::parts));
        }
        if (bands == 1) {
            all.add(known.computeIfAbsent(extents(last), this::parts));
        }
        return all;
    }

    private Extents extents(int slab) {
        List<List<ConvAxis.Run>> runs = new ArrayList<>();
        for (int phase = 0; phase < h.phases().size(); phase++) {
            runs.add(h.runs(phase, slabs.from(slab), slabs.to(slab), copies));
        }
        return new Extents(slabs.images(slab), runs);
    }

    private List<Part> parts(Extents extents) {
        List<Part> all = new ArrayList<>();
        for (int i = 0; i < phases.length; i++) {
            int phaseH = i / w.phases().size(), phaseW = i % w.phases().size();
            for (ConvAxis.Run runH : extents.runs.get(phaseH)) {
                for (ConvAxis.Run runW : w.runs(phaseW, 0, w.units(), copies)) {
                    ConvTile.Walk walk = walk(phases[i], phaseH, phaseW, runH, runW, extents.images);
                    all.add(new Part(phases[i].filterRow, walk));
                }
            }
        }
        return all;
    }

    private ConvTile.Walk walk(Phase phase, int phaseH, int phaseW, ConvAxis.Run runH, ConvAxis.Run runW, int images) {
        long pixel = (long) sourceChannels * Float.BYTES, row = rowBytes();
        List<ConvAxis.Tap> tapsH = phase.h.subList(runH.first(), runH.last());
        List<ConvAxis.Tap> tapsW = phase.w.subList(runW.first(), runW.last());
        boolean some = !tapsH.isEmpty() && !tapsW.isEmpty(), runs = groups == 1 && w.dense() && some;
        int perRow = runs ? 1 : tapsW.size();
        int top = some ? tapsH.getFirst().offset() : 0,
                left = some ? tapsW.getFirst().offset() : 0;
        long[] taps = new long[some ? tapsH.size() * perRow : 0], filters = new long[taps.length];
        for (int i = 0; i < taps.length; i++) {
            int tapH = i / perRow, tapW = i % perRow;
            taps[i] = (tapsH.get(tapH).offset() - top) * row + (tapsW.get(tapW).offset() - left) * pixel;
            filters[i] = (long) ((runH.first() + tapH) * phase.w.size() + runW.first() + tapW) * depth;
        }
        int zerosH = copies ? h.low() : 0, zerosW = copies ? w.low() : 0;
        ConvRows rows = ConvRows.allocate(images * runH.count() * runW.count());
        long resultPixel = (long) resultChannels * Float.BYTES;
        int at = 0;
        for (int image = 0; image < images; image++) {
            for (int u = runH.from(); u < runH.to(); u++) {
                long source = image * imageBytes() + (u * h.stride() + top - zerosH) * row + (left - zerosW) * pixel;
                long result = ((long) image * h.results() + u * h.spread() + phaseH) * w.results() + phaseW;
                for (int v = runW.from(); v < runW.to(); v++) {
                    rows.set(at++, source + v * w.stride() * pixel, (result + (long) v * w.spread()) * resultPixel);
                }
            }
        }
        long cs = depthwise ? pixel : Float.BYTES;
        return new ConvTile.Walk(taps, filters, runs ? tapsW.size() * depth : depth, cs, rows.pad());
    }

    private long rowBytes() {
        return copies ? slabs.rowBytes() : (long) w.sources() * sourceChannels * Float.BYTES;
    }

    private long imageBytes() {
        return copies ? slabs.imageBytes() : h.sources() * rowBytes();
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
        long packedBytes = (long) groups * packedColumns() * filterRows * Float.BYTES;
        long biasBytes = (long) groups * packedColumns() * Float.BYTES;
        long sharedBytes = packedBytes + biasBytes;
        long total = sharedBytes + ConvTile.SCRATCH + (copies ? slabs.bytes() : 0);
        long shared = scratch.address(total);
        long biases = shared + packedBytes;
        Thread caller = Thread.currentThread();
        int floor = relu ? 0 : ConvTile.UNBOUNDED;
        boolean parallel = shape.work() >= PARALLEL;
        long filters = filter.address();
        long biasAddress = bias == null ? 0 : bias.address();
        Blocks.run(pool, parallel && packedBytes > 1 << 16, groups * panels, panel -> {
            pack(filters, panel, shared + before(panel) * filterRows * Float.BYTES);
            packBias(biasAddress, panel, biases);
        });
        Blocks.run(pool, parallel, slabs.count(), slab -> {
            long own = (Thread.currentThread() == caller ? shared : scratch.address(total)) + sharedBytes;
            slab(slab, from, to, shared, biases, own, floor, epilogue);
        });
    }

    /** The first column of a panel in its group: after whole panels one of {@link ConvTile#COLUMNS} may precede the last. */
    private int column(int panel) {
        int i = panel % panels, whole = width / columns;
        return i <= whole ? i * columns : whole * columns + ConvTile.COLUMNS;
    }

    /** Columns of a panel of a group that exist. */
    private int wide(int panel) {
        int left = width - column(panel);
        return left >= columns ? columns : Math.min(ConvTile.COLUMNS, left);
    }

    /** Floats from a row of the packed panel to the next. */
    private int pitch(int wide) {
        return wide > ConvTile.COLUMNS ? columns : wide > Lanes.FLOATS ? ConvTile.COLUMNS : Lanes.FLOATS;
    }

    /** Floats of memory before a panel and those of its row of biases. */
    private long before(int panel) {
        return (long) panel / panels * packedColumns() + column(panel);
    }

    /** Columns of a group with those that fill its last panel. */
    private int packedColumns() {
        return (width + ConvTile.COLUMNS - 1) / ConvTile.COLUMNS * ConvTile.COLUMNS;
    }

    private void pack(long filter, int panel, long to) {
        int wide = wide(panel);
        int pitch = pitch(wide);
        int group = panel / panels;
        int column = column(panel);
        long k = shape.k();
        long rowStride = (forward ? k : 1) * Float.BYTES;
        long columnStride = (forward || depthwise ? 1 : k) * Float.BYTES;
        long start = filter + group * (k / groups) * Float.BYTES + column * columnStride;
        for (Phase phase : phases) {
            long at = to + (long) phase.filterRow * pitch * Float.BYTES;
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
        long to = biases + before(panel) * Float.BYTES;
        Copies.zero(to, (long) pitch(wide(panel)) * Float.BYTES);
        if (bias != 0) {
            int first = panel / panels * width + column(panel);
            Copies.copy(bias + (long) first * Float.BYTES, to, (long) wide(panel) * Float.BYTES);
        }
    }

    private void slab(int slab, long from, long to, long packed, long biases, long own, int floor, Epilogue epilogue) {
        long a = copies ? slabs.open(slab, from, own + ConvTile.SCRATCH) : from + inPlace(slab);
        long firstPixel = ((long) slabs.firstImage(slab) * h.results() + slabs.from(slab) * h.spread()) * w.results();
        long c = to + firstPixel * resultChannels * Float.BYTES;
        List<Part> some = parts.get(slabs.bands() > 1 ? slab % slabs.bands() : slabs.odd(slab) ? 1 : 0);
        askAhead(slab, some, from, own);
        for (int panel = 0; panel < groups * panels; panel++) {
            int group = panel / panels;
            int column = group * width + column(panel);
            int wide = wide(panel);
            long b = packed + before(panel) * filterRows * Float.BYTES;
            long bias = biases + before(panel) * Float.BYTES;
            long pitch = (long) pitch(wide) * Float.BYTES;
            long result = c + (long) column * Float.BYTES;
            for (Part part : some) {
                long rows = b + part.filterRow * pitch;
                if (depthwise) {
                    long first = a + (long) column * Float.BYTES;
                    ConvTile.depthwise(part.walk, first, rows, pitch, result, wide, bias, floor, false, own);
                } else {
                    long first = a + (long) group * depth * Float.BYTES;
                    ConvTile.panel(part.walk, first, rows, pitch, result, wide, bias, floor, false, own);
                }
            }
        }
        if (epilogue != null) {
            int pixels = slabs.images(slab) * (slabs.to(slab) - slabs.from(slab)) * w.results();
            epilogue.apply(
                    c, (long) resultChannels * Float.BYTES, Math.toIntExact(firstPixel), pixels, 0, resultChannels);
        }
    }

    /** The next slab's source. */
    private void askAhead(int slab, List<Part> some, long from, long own) {
        long steps = 0;
        for (int panel = 0; panel < panels; panel++) {
            for (Part part : some) {
                steps += groups * part.walk.steps(wide(panel));
            }
        }
        long at = start(slab + 1), bytes = start(slab + 2) - at;
        ConvTile.askAhead(own, steps, new ConvTile.Stream(from + at, bytes), ConvTile.Stream.NONE);
    }

    /** Bytes from the source to what a slab reads, and those before it do not; the end for those behind the last. */
    private long start(int slab) {
        int image = Math.min(shape.n(), slabs.firstImage(slab)), rows = h.sources();
        int overlap = slabs.from(slab) == 0 ? 0 : h.high() + 1 - h.stride();
        long row = image == shape.n() ? 0 : Math.clamp(slabs.from(slab) * h.stride() + overlap, 0, rows);
        return (image * (long) rows + row) * w.sources() * sourceChannels * Float.BYTES;
    }

    /** Bytes from the source to what the first unit of a slab would read with a tap at offset 0. */
    private long inPlace(int slab) {
        return slabs.firstImage(slab) * imageBytes() + (long) slabs.from(slab) * h.stride() * rowBytes();
    }
}
