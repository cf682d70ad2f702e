package io.quern.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.op.Add;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.testing.CudaDevices;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Says in one skipped test why the CUDA tests have run without a GPU, where they have. */
@Tag("cuda")
class GpuTest {
    @Test
    void theCudaTestsRunOnAGpuToo() {
        Assumptions.assumeTrue(
                CudaDevices.available().contains("cuda"),
                () -> "CUDA tests ran on " + CudaDevices.available() + " only" + CudaDevices.reasons());
        try (CudaBackend backend = (CudaBackend) CudaPlatform.CUDA.open();
                Tensor host = Tensor.allocate(DType.F32, Shape.of(3)).copyFrom(new float[] {1, 2, 3});
                Tensor x = host.copyTo(backend.memory())) {
            assertEquals("cuda", backend.name());
            backend.run(Add.OP, new Add.Args(x, x, x));
            assertArrayEquals(new float[] {2, 4, 6}, x.toFloats());
        }
    }
}
