package io.quern.backend.vector;

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

/** Maxima over windows in machine code: the bits of the kernel in Java, and nothing else written. */
class MaxPoolCodeTest {
    @BeforeEach
    void needsAvx512() {
        MachineCodeAssumption.needs(() -> MaxPoolCode.takes(PoolGeometry.of(3, 2), 16), "windows");
    }

    @Test
    void takesWindowsThatShareFewPixels() {
        assertTrue(MaxPoolCode.takes(PoolGeometry.of(2, 1), 9));
        assertTrue(MaxPoolCode.takes(PoolGeometry.of(7, 7), 1024));
        assertFalse(MaxPoolCode.takes(PoolGeometry.of(3, 2), 8));
        assertFalse(MaxPoolCode.takes(PoolGeometry.of(3, 1), 16));
        assertFalse(MaxPoolCode.takes(PoolGeometry.of(64, 64), 17));
    }

    @Test
    void equalsJavaAtAllEnds() {
        PoolGeometry[] geometries = {
            PoolGeometry.of(3, 2),
            PoolGeometry.of(3, 2).withPadding(1),
            PoolGeometry.of(3, 2).withPadding(2),
            PoolGeometry.of(2, 1).withPadding(1),
            PoolGeometry.of(1, 1),
            PoolGeometry.of(1, 3),
            PoolGeometry.of(5, 4).withPadding(3),
            new PoolGeometry(1, 4, 2, 1, 0, 3),
            new PoolGeometry(4, 2, 1, 2, 1, 1)
        };
        for (PoolGeometry geometry : geometries) {
            for (int size = 1; size <= 12; size++) {
                for (int c : new int[] {9, 16, 37}) {
                    int w = 1 + (5 * size + c) % 12;
                    if (size + 2 * geometry.paddingH() >= geometry.windowH()
                            && w + 2 * geometry.paddingW() >= geometry.windowW()) {
                        check(geometry, Shape.of(2, size, w, c), 1);
                    }
                }
            }
        }
    }

    /** Several blocks of rows, across images; calls for a part of a block; rows in several calls. */
    @Test
    void equalsJavaForManyCalls() {
        check(PoolGeometry.of(3, 2).withPadding(1), Shape.of(3, 40, 41, 64), 3);
        check(PoolGeometry.of(3, 2).withPadding(1), Shape.of(2, 7, 901, 20), 2);
        check(PoolGeometry.of(3, 2), Shape.of(2, 7, 9, 7000), 1);
        check(PoolGeometry.of(7, 7), Shape.of(5, 7, 7, 512), 2);
        check(PoolGeometry.of(3, 2), Shape.of(0, 7, 9, 16), 2);
    }

    private static void check(PoolGeometry geometry, Shape image, int threads) {
        assertTrue(MaxPoolCode.takes(geometry, (int) image.size(3)), geometry::toString);
        SplittableRandom random = new SplittableRandom(image.elements());
        try (Numbers x = new Numbers(image, random, true);
                WorkerPool pool = new WorkerPool(threads)) {
            Shape pooled = geometry.resultShape("MaxPool", x.view, "x");
            try (Numbers y = new Numbers(pooled, random, false);
                    Tensor expected = Tensor.allocate(DType.F32, pooled)) {
                PoolForward.run(pool, new ThreadScratch(), x.view, expected, geometry, new PoolMaximum(), false);
                new MaxPoolCode(x.view, y.view, geometry).run(pool);
                y.compare(expected, geometry + " of " + image);
            }
        }
    }
}
