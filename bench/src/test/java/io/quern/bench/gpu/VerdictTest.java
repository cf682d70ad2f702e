package io.quern.bench.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.bench.duel.Row;
import io.quern.op.Cost;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Rows with known times, held to the targets: the worst counts, and a missing peer is no success. */
class VerdictTest {
    private static final double COPY = 1e12;

    private final Verdict verdict = new Verdict(COPY, false, true);

    private Map<String, String> add(String row, Cost cost, Map<String, Double> seconds) {
        return verdict.add(Row.expand(row).getFirst(), cost, seconds);
    }

    private String line(String target) {
        return verdict.lines().stream()
                .filter(line -> line.contains(target))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void productsAreHeldToCublas() {
        Cost cost = new Cost(1e12, 1);
        add("MatmulBench shape=4096x4096x4096 layout=nn", cost, Map.of("quern-cuda", 1.1, "cublas", 1.0));
        add("MatmulBench shape=4096x4096x4096 layout=tn", cost, Map.of("quern-cuda", 9.0, "cublas", 1.0));
        add("MatmulBench shape=256x256x256", cost, Map.of("quern-cuda", 9.0, "cublas", 1.0));
        assertTrue(line("f32 matmul").endsWith("85 %   90.9 %    1 of 1   met"), line("f32 matmul"));
        String row = "LowPrecisionMatmulBench type=bf16 shape=4096x4096x4096";
        add(row, cost, Map.of("quern-cuda", 1.1, "quern-cuda-mma", 2.5, "cublas", 1.0));
        assertTrue(line("bf16 matmul").endsWith("45 %   40.0 %    0 of 1   NOT MET"), line("bf16 matmul"));
    }

    @Test
    void withoutAPeerNothingIsMeasured() {
        add("MatmulBench shape=4096x4096x4096", new Cost(1e12, 1), Map.of("quern-cuda", 1.0));
        assertTrue(line("f32 matmul").endsWith("not measured: no such row, or no peer"), line("f32 matmul"));
    }

    @Test
    void theWorstOfTheLargeRowsCounts() {
        add("ElementwiseBench op=add", new Cost(0, 1e9), Map.of("quern-cuda", 1e-3));
        add("ElementwiseBench op=gelu", new Cost(0, 1e9), Map.of("quern-cuda", 2e-3));
        add("ElementwiseBench op=tiny", new Cost(0, 1e3), Map.of("quern-cuda", 1.0));
        add("DropoutBench size=1", new Cost(0, 1e9), Map.of("quern-cuda", 1.1e-3));
        assertTrue(
                line("bound by memory").endsWith("50.0 %    1 of 2   NOT MET, worst: ElementwiseBench {op=gelu}"),
                line("bound by memory"));
        assertTrue(line("dropout").endsWith("90.9 %    1 of 1   met"), line("dropout"));
    }

    @Test
    void convolutionsAreHeldToCudnnForwardAndWithoutGroups() {
        Cost cost = new Cost(1e12, 1);
        add("Conv2dBench conv=n1c3 pass=forward", cost, Map.of("quern-cuda", 1.0, "cudnn", 0.75));
        add("Conv2dBench conv=n1c3 pass=backward-data", cost, Map.of("quern-cuda", 1.0, "cudnn", 0.1));
        add("Conv2dBench conv=n1c3d1g3 pass=forward", cost, Map.of("quern-cuda", 1.0, "cudnn", 0.1));
        assertTrue(line("conv2d").endsWith("50 %   75.0 %    1 of 1   met"), line("conv2d"));
    }

    @Test
    void aRowIsJudgedWhenItComes() {
        Cost cost = new Cost(1e12, 1);
        String row = "LowPrecisionMatmulBench type=bf16 shape=4096x4096x4096";
        assertEquals(
                Map.of("quern-cuda", "90.9 % of cublas", "quern-cuda-mma", "40.0 of 45 %: NOT MET"),
                add(row, cost, Map.of("quern-cuda", 1.1, "quern-cuda-mma", 2.5, "cublas", 1.0)));
        assertEquals(
                Map.of("quern-cuda", "100.0 of 85 %: met"),
                add("DropoutBench size=1", new Cost(0, 1e9), Map.of("quern-cuda", 1e-3)));
        assertEquals(
                Map.of("quern-cuda", "50.0 % of cudnn"),
                add("Conv2dBench conv=n1c3 pass=backward-data", cost, Map.of("quern-cuda", 2.0, "cudnn", 1.0)));
        assertEquals(Map.of(), add("ElementwiseBench op=add", new Cost(0, 1e3), Map.of("quern-cuda", 1.0)));
    }

    /** On a Hopper, ours is by wgmma: it is no figure for mma.sync. Elsewhere it is. */
    @Test
    void wgmmaIsNotTakenForMmaSync() {
        String row = "LowPrecisionMatmulBench type=bf16 shape=4096x4096x4096";
        Map<String, Double> seconds = Map.of("quern-cuda", 1.0, "cublas", 1.0);
        add(row, new Cost(1e12, 1), seconds);
        assertTrue(line("bf16 matmul").endsWith("not measured: no such row, or no peer"), line("bf16 matmul"));
        Verdict elsewhere = new Verdict(COPY, false, false);
        assertEquals(
                Map.of("quern-cuda", "100.0 of 45 %: met"),
                elsewhere.add(Row.expand(row).getFirst(), new Cost(1e12, 1), seconds));
    }

    @Test
    void aWrongRowIsOneThatMissesItsTarget() {
        add("DropoutBench size=1", new Cost(0, 1e9), Map.of("quern-cuda", 1e-3));
        add("DropoutBench size=2", new Cost(0, 1e9), Map.of("quern-cuda", Verdict.FAILED));
        assertTrue(
                line("dropout").endsWith("0.0 %    1 of 2   NOT MET, worst: DropoutBench {size=2}"), line("dropout"));
        String row = "LowPrecisionMatmulBench type=bf16 shape=4096x4096x4096";
        add(row, new Cost(1e12, 1), Map.of("quern-cuda", 1.0, "quern-cuda-mma", Verdict.FAILED));
        assertTrue(line("bf16 matmul").endsWith("0.0 %    0 of 1   NOT MET"), line("bf16 matmul"));
        add("MatmulBench shape=256x256x256", new Cost(1e12, 1), Map.of("quern-cuda", Verdict.FAILED));
        assertTrue(line("f32 matmul").endsWith("not measured: no such row, or no peer"), line("f32 matmul"));
    }

    @Test
    void overlapIsComparedWithLaunchesOneAfterTheOther() {
        Cost cost = new Cost(0, 1e9);
        assertTrue(verdict.lines().stream().noneMatch(line -> line.startsWith("# overlap")));
        assertEquals(
                Map.of("quern-cuda", "100.0 of 85 %: met", "quern-cuda-serial", "overlapping x1.100"),
                add("PoolBench op=max", cost, Map.of("quern-cuda", 1e-3, "quern-cuda-serial", 1.1e-3)));
        add("PoolBench op=average", cost, Map.of("quern-cuda", 1e-3, "quern-cuda-serial", 0.9e-3));
        add("PoolBench op=wrong", cost, Map.of("quern-cuda", Verdict.FAILED, "quern-cuda-serial", 0.9e-3));
        add("PoolBench op=serial", cost, Map.of("quern-cuda", 1e-3, "quern-cuda-serial", Verdict.FAILED));
        add("DropoutBench size=1", cost, Map.of("quern-cuda", 1e-3));
        assertEquals(
                "# overlap of launches: geometric mean x0.995 of 2 rows, least x0.900 PoolBench {op=average}, "
                        + "most x1.100 PoolBench {op=max}",
                line("# overlap"));
    }

    @Test
    void nothingSimulatedIsJudged() {
        Verdict simulated = new Verdict(COPY, true, false);
        simulated.add(Row.expand("ElementwiseBench op=add").getFirst(), new Cost(0, 10), Map.of("quern-cuda", 1e-12));
        assertEquals(
                1,
                simulated.lines().stream()
                        .filter(line -> line.endsWith("simulated"))
                        .count());
    }
}
