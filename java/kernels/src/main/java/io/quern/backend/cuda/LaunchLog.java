package io.quern.backend.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The launches since the last wait, so that an error that shows late can name them. Keeps the last few; allocates nothing. */
final class LaunchLog {
    private static final int KEPT = 16;

    private final String[] ops = new String[KEPT];
    private final String[] kernels = new String[KEPT];
    private final int[] extents = new int[KEPT * 4];
    private long count;
    private long kernelLaunches;
    private long graphLaunches;
    private String op = "";

    /** The op whose kernels are launched from now on. */
    void begin(String name) {
        op = name;
    }

    void end() {
        op = "";
    }

    void addKernel(String kernel, int gridX, int gridY, int gridZ, int block) {
        kernelLaunches++;
        add(kernel, gridX, gridY, gridZ, block);
    }

    void addGraph(int nodes) {
        graphLaunches++;
        add("graph of " + nodes + " nodes", 1, 1, 1, 1);
    }

    /** Kernels that were launched by themselves, ever. */
    long kernelLaunches() {
        return kernelLaunches;
    }

    /** Graphs that were launched, ever. */
    long graphLaunches() {
        return graphLaunches;
    }

    private void add(String kernel, int gridX, int gridY, int gridZ, int block) {
        int slot = (int) (count++ % KEPT);
        ops[slot] = op;
        kernels[slot] = kernel;
        extents[4 * slot] = gridX;
        extents[4 * slot + 1] = gridY;
        extents[4 * slot + 2] = gridZ;
        extents[4 * slot + 3] = block;
    }

    void clear() {
        count = 0;
    }

    /** The op that is being launched. */
    Optional<String> current() {
        return op.isEmpty() ? Optional.empty() : Optional.of(op);
    }

    /** For an error message: the launches that can have caused it. */
    String suspects() {
        if (count == 0) {
            return "";
        }
        List<String> lines = new ArrayList<>();
        for (long i = Math.max(0, count - KEPT); i < count; i++) {
            int slot = (int) (i % KEPT);
            lines.add(ops[slot] + " (" + kernels[slot] + ", grid " + extents[4 * slot] + "x" + extents[4 * slot + 1]
                    + "x" + extents[4 * slot + 2] + ", block " + extents[4 * slot + 3] + ")");
        }
        if (count == 1) {
            return ", in " + lines.getFirst();
        }
        String more = count > KEPT ? "the last " + KEPT + " of " + count : "the " + count;
        return ", in one of " + more + " launches since the last wait: " + String.join(", ", lines);
    }
}
