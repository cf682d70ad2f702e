package io.quern.backend.vector;

import static io.quern.backend.vector.Numbers.bits;
import static io.quern.backend.vector.Numbers.setBits;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.WorkerPool;
import io.quern.op.PoolGeometry;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Windows of 2 x 2 in machine code: the bits of the kernels in Java, and nothing else written. */
class MaxPoolQuadsCodeTest {
    private static final PoolGeometry HALVING = PoolGeometry.of(2, 2);

    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(() -> MaxPoolQuadsCode.takes(HALVING, 1), "windows");
    }

    @Test
    void takesWindowsSideBySide() {
        assertTrue(MaxPoolQuadsCode.takes(HALVING, 8192));
        assertFalse(MaxPoolQuadsCode.takes(HALVING, 8193));
        assertFalse(MaxPoolQuadsCode.takes(HALVING, 0));
        assertFalse(MaxPoolQuadsCode.takes(PoolGeometry.of(2, 1), 16));
        assertFalse(MaxPoolQuadsCode.takes(HALVING.withPadding(1), 16));
        assertFalse(MaxPoolQuadsCode.takes(PoolGeometry.of(3, 2), 16));
    }

    @Test
    void equalsJavaForAllChannels() {
        for (int c = 1; c <= 66; c++) {
            new Case(Shape.of(2, 4 + c % 2, 2 + c * 7 % 11, c), c).check(1);
        }
    }

    @Test
    void equalsJavaForAllWidths() {
        for (int c : new int[] {1, 3, 6, 11, 16, 20, 48}) {
            for (int w = 2; w <= 40; w++) {
                new Case(Shape.of(1 + w % 3, 2 + w % 4, w, c), w).check(1);
            }
        }
    }

    /** Several blocks of rows, across images; calls for a part of a block; rows in several calls. */
    @Test
    void equalsJavaForManyCalls() {
        new Case(Shape.of(9, 20, 28, 32), 1).check(1);
        new Case(Shape.of(9, 21, 29, 32), 2).check(3);
        new Case(Shape.of(5, 15, 30, 6), 3).check(3);
        new Case(Shape.of(1, 5, 101, 333), 4).check(2);
        new Case(Shape.of(2, 3, 33001, 3), 5).check(2);
        new Case(Shape.of(2, 3, 11, 8192), 6).check(1);
        new Case(Shape.of(0, 4, 4, 5), 7).check(2);
    }

    private record Case(Shape image, int seed) {
        void check(int threads) {
            SplittableRandom random = new SplittableRandom(seed);
            try (Numbers x = new Numbers(image, random, true);
                    WorkerPool pool = new WorkerPool(threads)) {
                Shape half = HALVING.resultShape("MaxPool", x.view, "x");
                try (Numbers dy = new Numbers(half, random, true);
                        Numbers y = new Numbers(half, random, false);
                        Numbers dx = new Numbers(image, random, false);
                        Tensor expectedY = Tensor.allocate(DType.F32, half);
                        Tensor expectedDx = Tensor.allocate(DType.F32, image).fill(0)) {
                    PoolForward.run(pool, new ThreadScratch(), x.view, expectedY, HALVING, new PoolMaximum(), false);
                    MaxPoolQuadsCode.maxima(pool, x.view, y.view);
                    y.compare(expectedY, this + ", maxima");
                    MaxPoolQuadsCode.gradients(pool, x.view, dy.view, dx.view);
                    send(x.view, dy.view, expectedDx);
                    dx.compare(expectedDx, this + ", gradients");
                    if (MaxPoolQuads.fits(HALVING, image.dim(3))) {
                        javaGradients(x.view, dy.view, expectedDx);
                        dx.compare(expectedDx, this + ", gradients of the kernel in Java");
                    }
                }
            }
        }

        private void javaGradients(Tensor x, Tensor dy, Tensor dx) {
            int h = x.dim(1), w = x.dim(2), c = x.dim(3);
            for (int n = 0; n < x.dim(0); n++) {
                long at = 4L * n * h * w * c, window = 4L * n * (h / 2) * (w / 2) * c;
                MaxPoolQuads.band(x.address() + at, dy.address() + window, dx.address() + at, 0, h, w, c, w / 2);
            }
        }

        /** To the first NaN of a window, or the first of its largest; to {@code dx} of zeros. */
        private static void send(Tensor x, Tensor dy, Tensor dx) {
            int h = x.dim(1), w = x.dim(2), c = x.dim(3), p = h / 2, q = w / 2;
            for (long i = 0; i < dy.elements(); i++) {
                long window = i / c, row = window / q % p, column = window % q, n = window / q / p;
                long first = ((n * h + 2 * row) * w + 2 * column) * c + i % c, largest = first;
                for (int tap = 1; tap < 4; tap++) {
                    long at = first + (tap / 2 * (long) w + tap % 2) * c;
                    float best = Float.intBitsToFloat(bits(x, largest)), value = Float.intBitsToFloat(bits(x, at));
                    largest = best >= value || Float.isNaN(best) ? largest : at;
                }
                float sum = Float.intBitsToFloat(bits(dx, largest)) + Float.intBitsToFloat(bits(dy, i));
                setBits(dx, largest, Float.floatToRawIntBits(sum));
            }
        }
    }
}
