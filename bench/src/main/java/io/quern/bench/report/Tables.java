package io.quern.bench.report;

import io.quern.bench.BatchNormBench;
import io.quern.bench.BroadcastBench;
import io.quern.bench.CastBench;
import io.quern.bench.Conv2dBench;
import io.quern.bench.DispatchBench;
import io.quern.bench.DropoutBench;
import io.quern.bench.ElementwiseBench;
import io.quern.bench.EmbeddingBench;
import io.quern.bench.FmaCeilingBench;
import io.quern.bench.FusedEpilogueBench;
import io.quern.bench.LayerNormBench;
import io.quern.bench.MatmulBench;
import io.quern.bench.OptimizerBench;
import io.quern.bench.PoolBench;
import io.quern.bench.ReduceBench;
import io.quern.bench.SoftmaxBench;
import io.quern.bench.StreamBench;
import io.quern.bench.TrainStepBench;
import io.quern.bench.TransposeBench;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** What each benchmark counts, and its results as a table. */
public final class Tables {
    static final List<ResultTable> ALL = List.of(
            ResultTable.roof("Roof: multiply-adds", "FmaCeilingBench", "GFLOP/s", FmaCeilingBench::cost),
            ResultTable.roof("Roof: bandwidth", "StreamBench", "GB/s", StreamBench::cost),
            ResultTable.of(
                    "The state of the machine: multiply-adds with integer instructions between them",
                    "DispatchBench",
                    "GFLOP/s",
                    DispatchBench::cost),
            ResultTable.of("Matrix product", "MatmulBench", "GFLOP/s", MatmulBench::cost),
            ResultTable.of(
                    "Epilogues of the matrix product", "FusedEpilogueBench", "GFLOP/s", FusedEpilogueBench::cost),
            ResultTable.of("Convolution", "Conv2dBench", "GFLOP/s", Conv2dBench::cost),
            ResultTable.items("Dropout", "DropoutBench", "G elements/s", "size", 1e-3, DropoutBench::cost),
            ResultTable.of("Elementwise ops", "ElementwiseBench", "GB/s", ElementwiseBench::cost),
            ResultTable.of("Softmax and cross-entropy", "SoftmaxBench", "GB/s", SoftmaxBench::cost),
            ResultTable.of("Batch normalization", "BatchNormBench", "GB/s", BatchNormBench::cost),
            ResultTable.of("Layer normalization", "LayerNormBench", "GB/s", LayerNormBench::cost),
            ResultTable.of("Pooling", "PoolBench", "GB/s", PoolBench::cost),
            ResultTable.of("Transpose", "TransposeBench", "GB/s", TransposeBench::cost),
            ResultTable.of("Embedding", "EmbeddingBench", "GB/s", EmbeddingBench::cost),
            ResultTable.of("Reduce", "ReduceBench", "GB/s", ReduceBench::cost),
            ResultTable.of("Broadcast", "BroadcastBench", "GB/s", BroadcastBench::cost),
            ResultTable.of("Cast", "CastBench", "GB/s", CastBench::cost),
            ResultTable.of("Optimizers", "OptimizerBench", "GB/s", OptimizerBench::cost),
            ResultTable.items("Training step", "TrainStepBench", "samples/s", "batch", 1e6, TrainStepBench::cost));

    private Tables() {}

    /** Markdown tables of everything in JMH's JSON files. */
    public static String render(List<Path> json) throws IOException {
        Measurements measurements = new Measurements();
        for (Path file : json) {
            measurements.read(file);
        }
        Roof roof = new Roof(List.of(measurements));
        StringBuilder text = new StringBuilder();
        for (ResultTable table : ALL) {
            Measurements own = measurements.of(table.bench());
            if (!own.isEmpty()) {
                text.append(table.markdown(own, roof)).append('\n');
            }
        }
        return text.toString();
    }
}
