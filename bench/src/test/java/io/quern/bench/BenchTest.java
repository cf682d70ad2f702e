package io.quern.bench;

import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.quern.bench.peer.Library;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Every benchmark runs once, with the implementations listed here, on small sizes; its own verification is part of that. */
class BenchTest {
    /** Small values for the parameters that decide the size. */
    private static final Map<Class<?>, Map<String, String[]>> SMALL = Map.ofEntries(
            entry(FmaCeilingBench.class, Map.of("threads", values("1", "2"))),
            entry(
                    DispatchBench.class,
                    Map.of(
                            "bits", values("" + FloatVector.SPECIES_PREFERRED.vectorBitSize()),
                            "threads", values("1", "2"))),
            entry(StreamBench.class, Map.of("size", values("640"), "threads", values("1", "2"))),
            entry(
                    MatmulBench.class,
                    Map.of(
                            "shape", values("17x33x9"),
                            "layout", values("nn", "nt", "tn", "tt"),
                            "impl", present("quern", "openblas", "mkl", "onednn", "libtorch"))),
            entry(
                    LowPrecisionMatmulBench.class,
                    Map.of("shape", values("17x33x9"), "layout", values("nn", "tt"), "type", values("bf16", "tf32"))),
            entry(FusedEpilogueBench.class, Map.of("shape", values("17x33x9"))),
            entry(
                    Conv2dBench.class,
                    Map.of(
                            "conv", values("n2h6w7c3k5r3s3u2p1", "n2h6w7c4k4r3s3u1p1d2g2"),
                            "impl", present("quern", "onednn", "libtorch"))),
            entry(LowPrecisionConv2dBench.class, Map.of("conv", values("n2h6w7c3k5r3s3u2p1"))),
            entry(DropoutBench.class, sized("1000", "quern", "libtorch", "splittable-random")),
            entry(ElementwiseBench.class, sized("512", "quern", "libtorch")),
            entry(SoftmaxBench.class, sized("5x7", "quern", "libtorch")),
            entry(LayerNormBench.class, sized("5x48", "quern", "libtorch")),
            entry(BatchNormBench.class, sized("2x3x4x16", "quern", "libtorch")),
            entry(PoolBench.class, sized("2x6x7x5x3x2x1", "quern", "libtorch")),
            entry(
                    TransposeBench.class,
                    Map.of("axes", values("0231"), "size", values("2x3x20x17"), "impl", present("quern", "libtorch"))),
            entry(EmbeddingBench.class, sized("5x7x20", "quern", "libtorch")),
            entry(ReduceBench.class, sized("3x5x20", "quern", "libtorch")),
            entry(BroadcastBench.class, sized("3x5x20", "quern", "libtorch")),
            entry(
                    CastBench.class,
                    Map.of(
                            "types", values("f32-bf16", "bf16-f32", "f32-f64", "f64-f32", "f32-i32", "i32-f32"),
                            "size", values("1000"),
                            "impl", present("quern", "libtorch"))),
            entry(OptimizerBench.class, sized("1000", "quern", "libtorch")),
            entry(
                    TrainStepBench.class,
                    Map.of("model", values("mlp"), "batch", values("3"), "impl", present("quern", "libtorch"))));

    private static Map<String, String[]> sized(String size, String... impl) {
        return Map.of("size", values(size), "impl", present(impl));
    }

    private static String[] values(String... values) {
        return values;
    }

    /** Those whose natives are on the class path; all of them with -Ppeers. */
    private static String[] present(String... names) {
        return Stream.of(names)
                .filter(name -> Stream.of(Library.values())
                        .filter(library -> library.name().equals(name.toUpperCase(Locale.ROOT)))
                        .allMatch(library -> library.missing() == null))
                .toArray(String[]::new);
    }

    @TestFactory
    Stream<DynamicTest> runsOnce() {
        return SMALL.entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(
                        entry.getKey().getSimpleName(), () -> run(entry.getKey(), entry.getValue())));
    }

    /** Nothing is timed here, so nothing need be warm. */
    @BeforeAll
    static void cold() {
        System.setProperty("quern.bench.cold", "true");
    }

    private static void run(Class<?> bench, Map<String, String[]> parameters) throws Exception {
        ChainedOptionsBuilder options = new OptionsBuilder()
                .include(bench.getName() + "\\..*")
                .forks(0)
                .warmupIterations(0)
                .measurementIterations(1)
                .measurementTime(TimeValue.milliseconds(1))
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT);
        parameters.forEach(options::param);
        Collection<RunResult> results = new Runner(options.build()).run();
        assertFalse(results.isEmpty(), bench + " has no benchmarks");
        results.forEach(result -> assertEquals(1, result.getBenchmarkResults().size()));
    }

    @Test
    void everyBenchmarkClassIsRunHere() throws Exception {
        String list = new String(
                BenchTest.class.getResourceAsStream("/META-INF/BenchmarkList").readAllBytes());
        long classes = list.lines()
                .flatMap(line -> Stream.of(line.split("\\s+")))
                .filter(word -> word.startsWith("io.quern.bench.") && word.endsWith("Bench"))
                .distinct()
                .count();
        assertEquals(SMALL.size(), classes, "benchmark classes in the jar, against those run by this test:\n" + list);
    }
}
