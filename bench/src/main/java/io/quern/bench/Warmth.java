package io.quern.bench;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;

/** Runs until the JIT compiler has nothing left to do, so that the measured iterations can be few and short. */
final class Warmth {
    private static final long LEAST = 800_000_000L;
    private static final long QUIET = 400_000_000L;
    private static final long MOST = 10_000_000_000L;

    private Warmth() {}

    /** At least 0.8 s and 20 calls; then until 0.4 s pass without compilation, 10 s at most. */
    static void reach(Contender contender) {
        CompilationMXBean jit = ManagementFactory.getCompilationMXBean();
        long start = System.nanoTime();
        long quietSince = start;
        long compiled = jit.getTotalCompilationTime();
        for (int calls = 1; ; calls++) {
            contender.run();
            long now = System.nanoTime();
            if ((calls & 15) == 0 || now - quietSince > QUIET / 4) {
                long total = jit.getTotalCompilationTime();
                if (total != compiled) {
                    compiled = total;
                    quietSince = now;
                }
            }
            boolean settled = now - start > LEAST && calls >= 20 && now - quietSince > QUIET;
            if (settled || now - start > MOST) {
                return;
            }
        }
    }
}
