package io.quern.backend.vector;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * One axis of a cross-correlation that gathers: result {@code u spread + phase} is the sum over the taps of that phase of
 * source {@code u stride + tap.offset()}. A forward convolution has one phase; the gradient by the image of a
 * convolution with stride s has s of them, each a convolution of stride 1 with every s-th tap.
 *
 * @param units values of u, enough for every phase
 * @param low the least offset of a tap
 * @param high the greatest
 * @param phases taps by rising offset, per phase
 */
record ConvAxis(
        int sources, int results, int stride, int spread, int units, int low, int high, List<List<Tap>> phases) {
    /** Filter position {@code index} reads the source at {@code offset}. */
    record Tap(int index, int offset) {}

    /**
     * Units {@code from} .. {@code to}, counted from where a slab begins, whose taps {@code first} .. {@code last} of a phase
     * lie inside the source.
     */
    record Run(int from, int to, int first, int last) {
        int count() {
            return to - from;
        }
    }

    static ConvAxis forward(int sources, int results, int taps, int stride, int padding, int dilation) {
        List<Tap> phase = new ArrayList<>();
        for (int r = 0; r < taps; r++) {
            phase.add(new Tap(r, r * dilation - padding));
        }
        return of(sources, results, stride, 1, List.of(phase));
    }

    /** The transposed walk: {@code sources} are results of the convolution, {@code results} its image. */
    static ConvAxis backward(int sources, int results, int taps, int stride, int padding, int dilation) {
        List<List<Tap>> phases = new ArrayList<>();
        for (int phase = 0; phase < stride; phase++) {
            List<Tap> list = new ArrayList<>();
            for (int r = 0; r < taps; r++) {
                int reach = phase + padding - r * dilation;
                if (reach % stride == 0) {
                    list.add(new Tap(r, reach / stride));
                }
            }
            list.sort(Comparator.comparingInt(Tap::offset));
            phases.add(list);
        }
        return of(sources, results, 1, stride, phases);
    }

    private static ConvAxis of(int sources, int results, int stride, int spread, List<List<Tap>> phases) {
        int low = phases.stream()
                .flatMap(List::stream)
                .mapToInt(Tap::offset)
                .min()
                .orElse(0);
        int high = phases.stream()
                .flatMap(List::stream)
                .mapToInt(Tap::offset)
                .max()
                .orElse(0);
        int units = (results + spread - 1) / spread;
        return new ConvAxis(sources, results, stride, spread, units, low, high, phases);
    }

    /** Source positions that {@code count} neighbouring units read. */
    int reach(int count) {
        return (count - 1) * stride + high - low + 1;
    }

    /** True when no unit reads outside the source. */
    boolean inside() {
        return low >= 0 && (units - 1) * stride + high < sources;
    }

    /**
     * The units {@code from} .. {@code to} of a phase, as far as they have results, in runs with the same taps inside the source.
     *
     * @param zeros whether there are zeros around the source, which make all taps lie inside
     * @return runs with units counted from {@code from}
     */
    List<Run> runs(int phase, int from, int to, boolean zeros) {
        List<Tap> taps = phases.get(phase);
        List<Run> runs = new ArrayList<>();
        int units = live(phase, from, to);
        for (int u = 0; u < units; u++) {
            int at = (from + u) * stride, first = 0, last = taps.size();
            while (!zeros && first < last && at + taps.get(first).offset() < 0) {
                first++;
            }
            while (!zeros && last > first && at + taps.get(last - 1).offset() >= sources) {
                last--;
            }
            Run before = runs.isEmpty() ? null : runs.getLast();
            if (before != null && before.first == first && before.last == last) {
                runs.set(runs.size() - 1, new Run(before.from, u + 1, first, last));
            } else {
                runs.add(new Run(u, u + 1, first, last));
            }
        }
        return runs;
    }

    /** How many of the units from .. to have a result in this phase. */
    int live(int phase, int from, int to) {
        int all = (results - phase + spread - 1) / spread;
        return Math.max(0, Math.min(to, all) - from);
    }

    /** True when the taps of every phase are neighbours. */
    boolean dense() {
        return phases.stream()
                .allMatch(taps -> taps.isEmpty()
                        || taps.getLast().offset() - taps.getFirst().offset() == taps.size() - 1);
    }
}
