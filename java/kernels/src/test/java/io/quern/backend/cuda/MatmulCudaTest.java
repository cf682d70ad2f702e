package io.quern.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.op.Matmul;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.testing.OnEveryCudaDevice;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products that take each tile, which single small ones of the harness do not. */
class MatmulCudaTest extends OnEveryCudaDevice {
    @ParameterizedTest
    @CsvSource({
        "F32, 256, 65, 129, 3, matmul_nn_f32_256",
        "BF16, 256, 65, 129, 3, matmul_nn_bf16_256",
        "F32, 128, 65, 65, 5, matmul_nn_f32_128",
        "BF16, 128, 65, 65, 5, matmul_nn_bf16_128",
        // as many, but next to nothing in a tile
        "F32, 256, 64, 5, 3, matmul_nn_f32_64"
    })
    void manyProductsByTheLargestTileThatTheyFill(DType dtype, int batch, int m, int n, int k, String kernel) {
        try (CudaBackend backend = device.open();
                Tensor a = Rng.of(1).fillUniform(Tensor.allocate(dtype, Shape.of(batch, m, k)), -1, 1);
                Tensor b = Rng.of(2).fillUniform(Tensor.allocate(dtype, Shape.of(batch, k, n)), -1, 1);
                Tensor expected = Tensor.allocate(dtype, Shape.of(batch, m, n));
                Tensor there = a.copyTo(backend.memory());
                Tensor other = b.copyTo(backend.memory());
                Tensor c = Tensor.allocate(backend.memory(), dtype, expected.shape())) {
            Matmul.OP.reference(new Matmul.Args(a, b, expected, false, false));
            backend.synchronize();
            backend.run(Matmul.OP, new Matmul.Args(there, other, c, false, false));
            String launches = backend.launches();
            assertTrue(launches.contains("(" + kernel + ", grid "), launches);
            assertArrayEquals(expected.toFloats(), c.toFloats(), dtype == DType.F32 ? 1e-6f : 1.0f / 64);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "F32, 4096, 4096, WIDE",
        "BF16, 4096, 4096, WIDE",
        "TF32, 4096, 4096, LARGE",
        "F32, 2048, 2048, LARGE",
        "F32, 512, 512, SMALL",
        "F32, 32768, 10, SMALL",
        "F32, 32768, 100, LARGE"
    })
    void tileOfAShape(ProductKind kind, int m, int n, MatmulTile tile) {
        // shapes alone count, so k may be nothing
        try (Tensor a = Tensor.allocate(DType.F32, Shape.of(m, 0));
                Tensor b = Tensor.allocate(DType.F32, Shape.of(0, n));
                Tensor c = Tensor.allocate(DType.F32, Shape.of(m, n))) {
            assertEquals(tile, MatmulTile.of(new Matmul.Args(a, b, c, false, false), kind));
        }
    }
}
