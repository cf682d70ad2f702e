package io.quern.backend.vector;

import io.quern.backend.WorkerPool;
import io.quern.tensor.Tensor;

/**
 * The three passes of a 1x1 convolution as matrix products: rows are pixels, columns channels. With strides, the pixels
 * that a filter meets are first copied together, or spread afterwards.
 */
final class ConvPointwise {
    /** Channels from which products outweigh copying pixels for every tap. */
    private static final int MANY_CHANNELS = 128;

    /** Bytes of pixels that a thread gathers at once. */
    private static final int GATHERED = 256 << 10;
    /** Elements of a filter that is packed again for each of these. */
    private static final int SMALL = 64 << 10;

    private final ConvShape shape;
    /** The image has exactly the pixels of the result. */
    private final boolean dense;

    private final int pixels;
    /** Null where {@link Gemm} is to do it. */
    private final GemmFilterGradient gradient;
    /** For the pixels met: not the memory that {@link Gemm} uses meanwhile. */
    private final Scratch gathered;

    private ConvPointwise(ConvShape shape, Scratch gathered) {
        this.shape = shape;
        this.gathered = gathered;
        pixels = shape.n() * shape.p() * shape.q();
        dense = dense(shape);
        gradient = GemmFilterGradient.of(shape);
    }

    /** For filters of one tap without padding and groups. */
    static boolean fits(ConvShape shape) {
        return shape.r() == 1
                && shape.s() == 1
                && shape.groups() == 1
                && shape.geometry().paddingH() == 0
                && shape.geometry().paddingW() == 0
                && (long) shape.n() * shape.p() * shape.q() <= Integer.MAX_VALUE;
    }

    /** For those where a result lies at each pixel of the image. */
    static boolean dense(ConvShape shape) {
        return fits(shape) && shape.p() == shape.h() && shape.q() == shape.w();
    }

    /** Plans that share memory for gathered pixels. */
    static ConvPlans<ConvPointwise> plans() {
        Scratch gathered = new ThreadScratch();
        return new ConvPlans<>(shape -> new ConvPointwise(shape, gathered));
    }

    /** y = x filter, with what {@code epilogue} does. */
    void forward(Tensor x, Tensor filter, Tensor y, Epilogue epilogue, Scratch scratch, WorkerPool pool) {
        int c = shape.c(), k = shape.k();
        int block = (int) Math.max(1, GATHERED / (4L * Math.max(1, c))), blocks = (pixels + block - 1) / block;
        if (!dense && (long) c * k <= SMALL && blocks > 1) {
            Blocks.run(pool, true, blocks, i -> {
                int from = i * block, count = Math.min(block, pixels - from);
                forward(x.address(), filter.address(), y.address(), from, count, epilogue, scratch);
            });
            return;
        }
        long image = dense ? x.address() : gather(x.address(), 0, 0, pool);
        if (PointwiseStream.fits(pixels, k, c)) {
            PointwiseStream.multiply(pixels, c, image, filter.address(), y.address(), epilogue, scratch, pool);
            return;
        }
        Gemm.multiply(pixels, k, c, 1, image, c, 1, filter.address(), k, 1, 0, y.address(), k, epilogue, scratch, pool);
    }

    /** The pixels {@code from} .. of y: those that they meet stay in the cache of the thread that gathers them. */
    private void forward(long x, long filter, long y, int from, int count, Epilogue epilogue, Scratch scratch) {
        int c = shape.c(), k = shape.k();
        long pixel = 4L * c, image = gathered.address(count * pixel);
        TapPixels.copy(shape, x, from, count, 0, 0, 0, pixel, image, pixel);
        Epilogue here = epilogue == null
                ? null
                : (at, ld, row0, rows, col0, columns) -> epilogue.apply(at, ld, from + row0, rows, col0, columns);
        Gemm.multiply(count, k, c, 1, image, c, 1, filter, k, 1, 0, y + 4L * from * k, k, here, scratch, null);
    }

    /** dx = dy filter'. */
    void backwardData(Tensor dy, Tensor filter, Tensor dx, Scratch scratch, WorkerPool pool) {
        int c = shape.c(), k = shape.k();
        long image = dx.address();
        if (PointwiseStream.fits(pixels, c, k)) {
            long met = dense ? 0 : gatheredBytes(), own = gathered.address(met + 4L * c * k), turned = own + met;
            image = dense ? image : own;
            GemmTranspose.all(filter.address(), 4L * k, c, k, turned, 4L * c);
            PointwiseStream.multiply(pixels, k, dy.address(), turned, image, null, scratch, pool);
        } else {
            image = dense ? image : gathered.address(gatheredBytes());
            Gemm.multiply(
                    pixels, c, k, 1, dy.address(), k, 1, filter.address(), 1, k, 0, image, c, null, scratch, pool);
        }
        if (!dense) {
            spread(image, dx.address(), pool);
        }
    }

    /** True where {@link #backwardWeights} is the fastest for a filter of any size: channels, or those of a filter row, enough for its products. */
    static boolean weightsFit(ConvShape shape) {
        return shape.groups() == 1
                && (Math.min(shape.c(), shape.k()) >= MANY_CHANNELS || GemmFilterGradient.fills(shape))
                && (long) shape.n() * shape.p() * shape.q() <= Integer.MAX_VALUE;
    }

    /** dfilter = x' dy, for each tap with the pixels that it meets. */
    void backwardWeights(Tensor x, Tensor dy, Tensor dfilter, Scratch scratch, WorkerPool pool) {
        if (gradient != null) {
            gradient.run(x, dy, dfilter, scratch, pool);
            return;
        }
        int c = shape.c(), k = shape.k();
        for (int r = 0; r < shape.r(); r++) {
            for (int s = 0; s < shape.s(); s++) {
                long image = dense ? x.address() : gather(x.address(), r, s, pool);
                long to = dfilter.address() + ((long) r * shape.s() + s) * c * k * Float.BYTES;
                Gemm.multiply(c, k, pixels, 1, image, 1, c, dy.address(), k, 1, 0, to, k, null, scratch, pool);
            }
        }
    }

    private long gatheredBytes() {
        return (long) pixels * shape.c() * Float.BYTES;
    }

    /** The pixels that tap (r, s) meets, zeros outside the image. */
    private long gather(long image, int r, int s, WorkerPool pool) {
        long to = gathered.address(gatheredBytes()), pixel = (long) shape.c() * Float.BYTES;
        Blocks.run(pool, gatheredBytes() > 1 << 18, shape.n() * shape.p(), row -> {
            int first = row * shape.q();
            TapPixels.copy(shape, image, first, shape.q(), r, s, 0, pixel, to + first * pixel, pixel);
        });
        return to;
    }

    /** The pixels met between zeros. */
    private void spread(long from, long image, WorkerPool pool) {
        long pixel = (long) shape.c() * Float.BYTES;
        int stepH = shape.geometry().strideH(), stepW = shape.geometry().strideW();
        Blocks.run(pool, gatheredBytes() > 1 << 18, shape.n() * shape.h(), row -> {
            long target = image + (long) row * shape.w() * pixel;
            int y = row % shape.h();
            if (y % stepH != 0 || y / stepH >= shape.p()) {
                Copies.zero(target, shape.w() * pixel);
                return;
            }
            long source = from + ((long) row / shape.h() * shape.p() + y / stepH) * shape.q() * pixel;
            for (int q = 0; q < shape.q(); q++) {
                int x = q * stepW, next = q + 1 < shape.q() ? x + stepW : shape.w();
                Copies.copy(source + q * pixel, target + x * pixel, pixel);
                Copies.zero(target + (x + 1) * pixel, (next - x - 1) * pixel);
            }
        });
    }
}
