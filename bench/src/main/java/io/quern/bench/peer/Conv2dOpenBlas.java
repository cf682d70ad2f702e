package io.quern.bench.peer;

import static io.quern.backend.ffi.NativeMemory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.quern.bench.Contender;
import io.quern.bench.ConvolutionProblem;
import io.quern.bench.ConvolutionSpec;
import io.quern.bench.Unavailable;
import io.quern.op.Conv2dGeometry;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import org.bytedeco.openblas.global.openblas;

/** The textbook convolution: a matrix of columns in memory and one product by OpenBLAS. */
public final class Conv2dOpenBlas implements Contender {
    private final ConvolutionSpec spec;
    private final Tensor columns;
    private final int rows;
    private final int taps;
    private final int k;

    private final Runnable pass;

    public Conv2dOpenBlas(ConvolutionProblem problem) {
        if (problem.spec().geometry().groups() != 1) {
            throw new Unavailable("columns-openblas has no groups", null);
        }
        spec = problem.spec();
        rows = (int) (spec.result().elements() / spec.result().size(3));
        taps = (int) (spec.filter().elements() / spec.filter().size(3));
        k = spec.filter().dim(3);
        columns = Tensor.allocate(DType.F32, Shape.of(rows, taps));
        Tensor image = problem.image();
        Tensor filter = problem.filter();
        Tensor result = problem.result();
        pass = switch (problem.pass()) {
            case FORWARD -> () -> forward(image, filter, result);
            case BACKWARD_DATA -> () -> backwardData(result, filter, image);
            case BACKWARD_WEIGHTS -> () -> backwardWeights(image, result, filter);
        };
    }

    @Override
    public void run() {
        pass.run();
    }

    private void forward(Tensor x, Tensor filter, Tensor y) {
        walk(x, false);
        product(false, false, rows, k, taps, columns, filter, y);
    }

    private void backwardData(Tensor dy, Tensor filter, Tensor dx) {
        product(false, true, rows, taps, k, dy, filter, columns);
        ALL.asSlice(dx.address(), 4 * dx.elements()).fill((byte) 0);
        walk(dx, true);
    }

    private void backwardWeights(Tensor x, Tensor dy, Tensor dfilter) {
        walk(x, false);
        product(true, false, taps, k, rows, columns, dy, dfilter);
    }

    private static void product(boolean ta, boolean tb, int m, int n, int k, Tensor a, Tensor b, Tensor c) {
        openblas.cblas_sgemm(
                openblas.CblasRowMajor,
                ta ? openblas.CblasTrans : openblas.CblasNoTrans,
                tb ? openblas.CblasTrans : openblas.CblasNoTrans,
                m,
                n,
                k,
                1,
                new NativeFloats(a),
                ta ? m : k,
                new NativeFloats(b),
                tb ? k : n,
                0,
                new NativeFloats(c),
                n);
    }

    /** Copies pixels to columns, or adds columns to pixels; channels are contiguous in both. */
    private void walk(Tensor image, boolean add) {
        Conv2dGeometry g = spec.geometry();
        int h = spec.image().dim(1);
        int w = spec.image().dim(2);
        int c = spec.image().dim(3);
        int p = spec.result().dim(1);
        int q = spec.result().dim(2);
        long base = image.address();
        long column = columns.address();
        for (int row = 0; row < rows; row++) {
            int y0 = row / q % p * g.strideH() - g.paddingH();
            int x0 = row % q * g.strideW() - g.paddingW();
            for (int r = 0; r < spec.filter().dim(0); r++) {
                for (int s = 0; s < spec.filter().dim(1); s++, column += 4L * c) {
                    int y = y0 + r * g.dilationH();
                    int x = x0 + s * g.dilationW();
                    boolean inside = y >= 0 && y < h && x >= 0 && x < w;
                    long pixel = base + 4L * (((long) row / (p * q) * h + y) * w + x) * c;
                    if (add && inside) {
                        for (int i = 0; i < c; i++) {
                            long at = pixel + 4L * i;
                            ALL.set(JAVA_FLOAT, at, ALL.get(JAVA_FLOAT, at) + ALL.get(JAVA_FLOAT, column + 4L * i));
                        }
                    } else if (!add && inside) {
                        MemorySegment.copy(ALL, pixel, ALL, column, 4L * c);
                    } else if (!add) {
                        ALL.asSlice(column, 4L * c).fill((byte) 0);
                    }
                }
            }
        }
    }

    @Override
    public void close() {
        columns.close();
    }
}
