package io.quern.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.BenchmarkParams;

/**
 * What the benchmarks of ops share: one contender, verified and warm before JMH's first iteration. With the system
 * property {@code quern.bench.keep}, the contenders of a row stay open between JMH's runs in the same JVM, so that
 * implementations can alternate without being set up again.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 200, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 200, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public abstract class OpBench {
    private static Contest kept;
    private static String keptRow;

    @Param("1")
    public int threads;

    private Contender contender;

    /** Arguments and implementations, from the parameters other than impl. */
    protected abstract Contest contest();

    /** The same for harnesses other than JMH; the caller closes it. */
    public final Contest open() {
        return contest();
    }

    @Setup(Level.Trial)
    public void setup(BenchmarkParams parameters) {
        StringBuilder row = new StringBuilder(parameters.getBenchmark());
        for (String key : parameters.getParamsKeys()) {
            row.append(key.equals("impl") ? "" : " " + key + "=" + parameters.getParam(key));
        }
        if (!row.toString().equals(keptRow)) {
            release();
            kept = contest();
            keptRow = row.toString();
        }
        contender = kept.contender(parameters.getParam("impl"));
    }

    @Benchmark
    public void run() {
        contender.run();
    }

    @TearDown(Level.Trial)
    public void close() {
        if (!Boolean.getBoolean("quern.bench.keep")) {
            release();
        }
    }

    private static void release() {
        if (kept != null) {
            Contest last = kept;
            kept = null;
            keptRow = null;
            last.close();
        }
    }
}
