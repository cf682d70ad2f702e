package io.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.backend.Backends;
import io.quern.backend.cuda.CudaBackend;
import io.quern.op.BatchNorm;
import io.quern.op.BatchNormBackward;
import io.quern.op.BatchNormInferenceBackward;
import io.quern.op.Case;
import io.quern.op.EmbeddingBackward;
import io.quern.op.LayerNorm;
import io.quern.op.LayerNormBackward;
import io.quern.op.MeanSquaredError;
import io.quern.op.Op;
import io.quern.op.OpArgs;
import io.quern.op.Reduce;
import io.quern.op.Softmax;
import io.quern.op.SoftmaxBackward;
import io.quern.op.SoftmaxCrossEntropy;
import io.quern.op.SquaredNorm;
import io.quern.tensor.DType;
import io.quern.testing.CudaDevices;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/** Sums of CUDA kernels other than products and convolutions have the same bits wherever their tensors lie: addresses decide how, not in which order, to read. */
@Tag("cuda")
class AlignmentTest {
    private static final List<Op<?>> SUMMING = List.of(
            Softmax.OP,
            SoftmaxBackward.OP,
            SoftmaxCrossEntropy.OP,
            LayerNorm.OP,
            LayerNormBackward.OP,
            BatchNorm.OP,
            BatchNormBackward.OP,
            BatchNormInferenceBackward.OP,
            Reduce.OP,
            EmbeddingBackward.OP,
            MeanSquaredError.OP,
            SquaredNorm.OP);

    @TestFactory
    Stream<DynamicTest> hasEqualBitsAtAnyAddress() {
        CudaDevices.require();
        return CudaDevices.available().stream()
                .flatMap(device -> SUMMING.stream()
                        .map(op -> DynamicTest.dynamicTest(op.name() + " " + device, () -> check(op, device))));
    }

    private static <A extends OpArgs> void check(Op<A> op, String device) {
        List<String> differing = new ArrayList<>();
        try (CudaBackend backend = (CudaBackend) Backends.of(device, 1)) {
            for (DType dtype : List.of(DType.F32, DType.BF16)) {
                Variant variant = Variant.plain(device, dtype);
                for (Case<A> c : op.cases()) {
                    double[][] aligned = Agreement.outputs(op, c, variant, new OnDevice(backend, false));
                    double[][] shifted = Agreement.outputs(op, c, variant, new OnDevice(backend, true));
                    if (!Arrays.deepEquals(aligned, shifted)) {
                        differing.add(c.label() + " in " + dtype);
                    }
                }
            }
        }
        assertEquals(List.of(), differing, op.name() + " has other bits one element behind a 16-byte boundary");
    }
}
