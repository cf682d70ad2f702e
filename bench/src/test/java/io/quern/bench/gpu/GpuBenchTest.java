package io.quern.bench.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.bench.Contest;
import io.quern.bench.OpBench;
import io.quern.bench.duel.Row;
import io.quern.op.Cost;
import io.quern.op.Scale;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.testing.Simulator;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every benchmark of ops runs end to end on the simulated device, in a tiny size; its times mean nothing. */
class GpuBenchTest {
    private Simulator simulator;

    @BeforeEach
    void require() {
        simulator = Simulator.require();
        System.setProperty("quern.bench.rotations", "3");
        System.setProperty("quern.bench.cold", "true");
    }

    @AfterEach
    void nothingIsLeft() {
        if (simulator != null) {
            assertEquals(0, simulator.reports(), "the simulator reports misuse");
            assertEquals(0, simulator.outstandingBytes(), "device bytes leaked");
            assertEquals(0, simulator.outstandingHandles(), "events leaked");
        }
    }

    private static List<String> run(String... arguments) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        GpuBench bench = new GpuBench(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        String[] tiny = {"-backend", "cuda-sim", "-laps", "1", "-samples", "1", "-ms", "0"};
        String[] all = new String[tiny.length + arguments.length];
        System.arraycopy(tiny, 0, all, 0, tiny.length);
        System.arraycopy(arguments, 0, all, tiny.length, arguments.length);
        bench.parse(all);
        assertTrue(bench.run(), () -> bytes.toString(StandardCharsets.UTF_8));
        return bytes.toString(StandardCharsets.UTF_8).lines().toList();
    }

    private static long rows(List<String> lines, String start, String rate) {
        return lines.stream()
                .filter(line -> line.startsWith(start) && line.contains("quern-cuda") && line.contains(rate))
                .count();
    }

    @Test
    void everyBenchmarkOfOpsRuns() throws Exception {
        List<String> lines = run(
                "MatmulBench",
                "shape=33x17x20",
                "layout=nn,nt,tn",
                "impl=quern-cuda,cublas",
                "LowPrecisionMatmulBench",
                "shape=70x72x200",
                "type=bf16,tf32",
                "layout=nn,tt",
                "impl=quern-cuda,quern-cuda-mma",
                "Conv2dBench",
                "conv=n2h6w7c3k5r3s3u2p1,n1h6w6c4k4r3s3u1p1d1g4",
                "pass=forward,backward-data,backward-weights",
                "LowPrecisionConv2dBench",
                "conv=n2h6w7c3k5r3s3u2p1,n1h6w6c8k16r3s3u1p1,n1h6w6c4k4r3s3u1p1d1g4",
                "pass=forward,backward-data,backward-weights",
                "type=bf16,tf32",
                "DropoutBench",
                "size=1000",
                "type=f32,bf16",
                "ElementwiseBench",
                "op=add,gelu,relu-backward,bias",
                "size=512",
                "type=f32,bf16",
                "SoftmaxBench",
                "op=softmax,backward,cross-entropy",
                "size=5x7",
                "type=f32,bf16",
                "LayerNormBench",
                "pass=forward,backward",
                "size=5x48",
                "type=f32,bf16",
                "BatchNormBench",
                "pass=forward,backward",
                "size=2x3x4x16",
                "type=f32,bf16",
                "PoolBench",
                "op=max,max-backward,average,average-backward",
                "size=2x6x7x5x3x2x1",
                "type=f32,bf16",
                "ReduceBench",
                "op=sum,mean,max",
                "size=5x70x1,2x70x40",
                "type=f32,bf16",
                "BroadcastBench",
                "size=5x70x1,2x70x40",
                "type=f32,bf16",
                "CastBench",
                "types=f32-bf16,bf16-f32,f32-f64,f64-f32,f32-i32,i32-f32",
                "size=1000",
                "TransposeBench",
                "axes=0231",
                "size=2x3x9x17",
                "type=f32,bf16",
                "EmbeddingBench",
                "pass=forward,backward",
                "size=9x7x40",
                "type=f32,bf16",
                "OptimizerBench",
                "op=adamw,sgd",
                "size=1000",
                "type=f32,bf16",
                "FusedEpilogueBench",
                "shape=33x17x20",
                "epilogue=bias-gelu-dropout");
        assertTrue(
                lines.get(1).startsWith("# simulated: these numbers show that the benchmarks run, and nothing else"));
        assertEquals(
                2,
                lines.stream()
                        .filter(line -> line.matches("# roofs: copy .*; mma.sync bf16 .*, tf32 .*; wgmma bf16 .*"))
                        .count());
        assertEquals(
                6, lines.stream().filter(line -> line.startsWith("# target ")).count());
        assertEquals(3, rows(lines, "MatmulBench shape=33x17x20 layout=", "TFLOP/s"), lines.toString());
        assertEquals(8, rows(lines, "LowPrecisionMatmulBench shape=70x72x200", "TFLOP/s"), lines.toString());
        assertEquals(6, rows(lines, "Conv2dBench", "TFLOP/s"));
        assertEquals(18, rows(lines, "LowPrecisionConv2dBench", "TFLOP/s"));
        assertEquals(2, rows(lines, "DropoutBench", "GB/s"));
        assertEquals(8, rows(lines, "ElementwiseBench", "GB/s"));
        assertEquals(6, rows(lines, "SoftmaxBench", "GB/s"));
        assertEquals(4, rows(lines, "LayerNormBench", "GB/s"));
        assertEquals(4, rows(lines, "BatchNormBench", "GB/s"));
        assertEquals(8, rows(lines, "PoolBench", "GB/s"));
        assertEquals(12, rows(lines, "ReduceBench", "GB/s"));
        assertEquals(4, rows(lines, "BroadcastBench", "GB/s"));
        assertEquals(6, rows(lines, "CastBench", "GB/s"));
        assertEquals(2, rows(lines, "TransposeBench", "GB/s"));
        assertEquals(4, rows(lines, "EmbeddingBench", "GB/s"));
        assertEquals(4, rows(lines, "OptimizerBench", "GB/s"));
        // each row of an op bound by memory tells how far it is from the target
        assertEquals(64, rows(lines, "", "of 85 %: simulated"), lines.toString());
        assertEquals(1, rows(lines, "FusedEpilogueBench", "TFLOP/s"));
        assertEquals(
                3,
                lines.stream()
                        .filter(line -> line.contains("cublas: runs on a GPU only"))
                        .count());
    }

    /** Another chip has no kernels for Hopper: the row is left out with the reason. */
    @Test
    void whereThereIsNoHopperItsSwitchIsNoContender() throws Exception {
        simulator.setCapability(8, 0);
        List<String> lines = run("LowPrecisionMatmulBench", "shape=70x72x200", "type=bf16", "impl=quern-cuda-mma");
        assertEquals(0, rows(lines, "LowPrecisionMatmulBench", ""), lines.toString());
        assertTrue(
                lines.stream().anyMatch(line -> line.contains("quern-cuda-mma: is quern-cuda itself")),
                lines.toString());
        assertTrue(lines.stream().noneMatch(line -> line.contains("wgmma")), lines.toString());
    }

    /** Ours and ours one after the other are rows of their own, and the last line compares them; another chip has but one of them. */
    @Test
    void launchesThatOverlapBesideThoseThatDoNot() throws Exception {
        String[] row = {"LayerNormBench", "pass=forward", "size=5x48", "impl=quern-cuda,quern-cuda-serial"};
        long before = simulator.overlappingKernelsRun();
        List<String> serial = run("LayerNormBench", "pass=forward", "size=5x48", "impl=quern-cuda-serial");
        assertEquals(before, simulator.overlappingKernelsRun());
        assertEquals(1, rows(serial, "LayerNormBench", "quern-cuda-serial"), serial.toString());
        List<String> lines = run(row);
        assertTrue(simulator.overlappingKernelsRun() > before);
        assertEquals(2, rows(lines, "LayerNormBench", ""), lines.toString());
        assertTrue(
                lines.getLast().matches("# overlap of launches: geometric mean x.* of 1 rows, .*simulated"),
                lines.toString());
        simulator.setCapability(8, 0);
        lines = run(row);
        assertEquals(1, rows(lines, "LayerNormBench", ""), lines.toString());
        assertTrue(
                lines.stream().anyMatch(line -> line.contains("quern-cuda-serial: is quern-cuda itself")),
                lines.toString());
    }

    /** The summary stands at the end, once; where the process ends before, it tells what is known. */
    @Test
    void theSummaryComesOnce() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        GpuBench bench = new GpuBench(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        bench.parse("-backend", "cuda-sim", "-laps", "1", "-samples", "1", "-ms", "0", "DropoutBench", "size=100");
        bench.stopped();
        assertEquals("", bytes.toString(StandardCharsets.UTF_8), "nothing is known before the run");
        assertTrue(bench.run());
        String complete = bytes.toString(StandardCharsets.UTF_8);
        assertEquals(
                1,
                complete.lines()
                        .filter(line -> line.startsWith("# target dropout"))
                        .count(),
                complete);
        bench.stopped();
        assertEquals(complete, bytes.toString(StandardCharsets.UTF_8));
    }

    /** Its kernel doubles, its host says 7. */
    public static class WrongBench extends OpBench {
        @Override
        protected Contest contest() {
            Contest contest = new Contest("wrong", threads);
            Tensor x = contest.random(1, Shape.of(100)), y = contest.empty(Shape.of(100));
            return contest.quern(Scale.OP, new Scale.Args(x, y, 2), y)
                    .onHost(() -> contest.fill(y, 7))
                    .tolerance(1e-5);
        }

        public static Cost cost(Map<String, String> row) {
            return new Cost(0, 800);
        }
    }

    /** It fails the run, is not timed, and counts among the rows of its target. */
    @Test
    void aWrongResultFailsTheRun() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        GpuBench bench = new GpuBench(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        bench.parse("-backend", "cuda-sim", "-laps", "1", "-samples", "1", "-ms", "0", "gpu.GpuBenchTest$WrongBench");
        assertFalse(bench.run());
        List<String> lines = bytes.toString(StandardCharsets.UTF_8).lines().toList();
        assertTrue(
                lines.stream()
                        .anyMatch(line -> line.startsWith(
                                "# gpu.GpuBenchTest$WrongBench FAILED: quern-cuda: output 0: element 0 is ")),
                lines.toString());
        assertTrue(lines.contains("# 1 rows failed, see above"), lines.toString());
        assertTrue(lines.stream().noneMatch(line -> line.contains("GB/s") && line.contains("WrongBench")));
        assertTrue(
                lines.stream().anyMatch(line -> line.matches("# target ops bound by memory.* 0\\.0 % +0 of 1 .*")),
                lines.toString());
    }

    /** What a row leaves open is what runs, and what it is held to. */
    @Test
    void parametersLeftOpenTakeTheirFirstValue() throws Exception {
        List<String> lines =
                run("LowPrecisionMatmulBench", "shape=70x72x200", "Conv2dBench", "conv=n1h6w6c4k4r3s3u1p1");
        assertEquals(2, rows(lines, "", "TFLOP/s"), lines.toString());
        assertEquals(
                "bf16",
                GpuRow.filled(Row.expand("LowPrecisionMatmulBench shape=1x1x1").getFirst())
                        .parameters()
                        .get("type"));
        run("Conv2dBench", "pass=forward", "conv=n1h6w6c4k4r3s3u1p1");
        assertEquals(
                "n32h28w28c1k32r5s5u1p2",
                GpuRow.filled(Row.expand("Conv2dBench pass=forward").getFirst())
                        .parameters()
                        .get("conv"));
    }

    /** A row with a bad parameter ends the run; the rows before it are judged all the same. */
    @Test
    void whatIsKnownIsToldWhenTheRunEndsEarly() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        GpuBench bench = new GpuBench(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        bench.parse("-backend", "cuda-sim", "-laps", "1", "-samples", "1", "-ms", "0", "DropoutBench", "size=100,x");
        assertThrows(IllegalArgumentException.class, bench::run);
        bench.stopped();
        List<String> lines = bytes.toString(StandardCharsets.UTF_8).lines().toList();
        assertTrue(lines.contains("# stopped after 1 of 2 rows"), lines.toString());
        assertTrue(
                lines.stream().anyMatch(line -> line.startsWith("# target dropout") && line.endsWith("simulated")),
                lines.toString());
    }

    @Test
    void aTrainingStepRuns() throws Exception {
        assertEquals(1, rows(run("TrainStepBench", "model=mlp", "batch=3"), "TrainStepBench model=mlp batch=3", ""));
    }

    @Test
    void aBenchmarkThatIsNotThereIsNamed() {
        String message = assertThrows(IllegalArgumentException.class, () -> run("MatmalBench", "shape=1x1x1"))
                .getMessage();
        assertEquals("there is no benchmark of ops MatmalBench", message);
    }
}
