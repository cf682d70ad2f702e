package io.quern.bench;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/** Several ways to call the same peer: tries each and keeps the fastest, so that a peer has its best setting. */
public final class Fastest {
    private static final long ENOUGH = 40_000_000L;

    private final Map<String, Supplier<Contender>> ways = new LinkedHashMap<>();
    private final String who;

    public Fastest(String who) {
        this.who = who;
    }

    /** A way that throws when it is created or run counts as not offered by the peer. */
    public Fastest or(String name, Supplier<Contender> way) {
        ways.put(name, way);
        return this;
    }

    public Contender choose() {
        Contender best = null;
        String bestName = null;
        double bestTime = Double.POSITIVE_INFINITY;
        RuntimeException refused = null;
        for (Map.Entry<String, Supplier<Contender>> way : ways.entrySet()) {
            Contender contender;
            double time;
            try {
                contender = way.getValue().get();
                time = time(contender);
            } catch (RuntimeException e) {
                refused = e;
                continue;
            }
            if (time < bestTime) {
                if (best != null) {
                    best.close();
                }
                best = contender;
                bestName = way.getKey();
                bestTime = time;
            } else {
                contender.close();
            }
        }
        if (best == null) {
            throw new Unavailable(who + " has no implementation of this: " + refused, refused);
        }
        if (Boolean.getBoolean("quern.bench.ways")) {
            System.err.println(who + ": " + bestName);
        }
        return best;
    }

    /** Best of the calls that fit in 40 ms after two to warm up, at least three. */
    private static double time(Contender contender) {
        contender.run();
        contender.run();
        long best = Long.MAX_VALUE;
        long start = System.nanoTime();
        for (int i = 0; i < 3 || System.nanoTime() - start < ENOUGH; i++) {
            long t = System.nanoTime();
            contender.run();
            best = Math.min(best, System.nanoTime() - t);
        }
        return best;
    }
}
