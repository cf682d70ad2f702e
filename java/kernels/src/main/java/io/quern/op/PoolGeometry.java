package io.quern.op;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/**
 * How a pooling window slides over an image.
 *
 * <p>Image (N, H, W, C), result (N, P, Q, C) with P = (H + 2 paddingH - windowH) / strideH + 1, rounded down, and Q
 * likewise. Result pixel (p, q) combines the image pixels with rows {@code firstRow(p) .. endRow(p, h) - 1} and columns
 * likewise: those of the window that lie in the image, at least one.
 *
 * @param windowH rows of the window, 1..4096
 * @param strideH rows between neighbouring windows, 1 or more
 * @param paddingH rows by which windows may stand out above and below, 0 .. windowH - 1
 */
public record PoolGeometry(int windowH, int windowW, int strideH, int strideW, int paddingH, int paddingW) {
    /** So that a float can number the taps of a window. */
    private static final int LARGEST = 4096;

    public PoolGeometry {
        check(windowH, strideH, paddingH, "H");
        check(windowW, strideW, paddingW, "W");
    }

    private static void check(int window, int stride, int padding, String axis) {
        if (!(window >= 1 && window <= LARGEST)) {
            throw Check.failed("PoolGeometry", "window" + axis + " is " + window + ", expected 1.." + LARGEST);
        }
        if (!(stride >= 1)) {
            throw Check.failed("PoolGeometry", "stride" + axis + " is " + stride + ", expected 1 or more");
        }
        if (!(padding >= 0 && padding < window)) {
            throw Check.failed(
                    "PoolGeometry",
                    "padding" + axis + " is " + padding + ", expected 0 or more and less than window" + axis
                            + ", which is " + window);
        }
    }

    /** Square windows without padding. */
    public static PoolGeometry of(int window, int stride) {
        return new PoolGeometry(window, window, stride, stride, 0, 0);
    }

    public PoolGeometry withPadding(int padding) {
        return new PoolGeometry(windowH, windowW, strideH, strideW, padding, padding);
    }

    /** Pixels of a whole window. */
    public int taps() {
        return windowH * windowW;
    }

    /** The most windows that share a pixel. */
    public long overlap() {
        return (long) Math.ceilDiv(windowH, strideH) * Math.ceilDiv(windowW, strideW);
    }

    /** First image row of result row p. */
    public int firstRow(int p) {
        return Math.max(0, p * strideH - paddingH);
    }

    /** Behind the last image row of result row p. */
    public int endRow(int p, int h) {
        return Math.min(h, p * strideH - paddingH + windowH);
    }

    /** First image column of result column q. */
    public int firstColumn(int q) {
        return Math.max(0, q * strideW - paddingW);
    }

    /** Behind the last image column of result column q. */
    public int endColumn(int q, int w) {
        return Math.min(w, q * strideW - paddingW + windowW);
    }

    /** First result row whose window holds image row h or a later one. */
    public int firstWindowOfRow(int h) {
        return Math.max(0, Math.ceilDiv(h + paddingH - windowH + 1, strideH));
    }

    /** Behind the last of the {@code p} result rows whose window holds image row h or an earlier one. */
    public int endWindowOfRow(int h, int p) {
        return Math.min(p, (h + paddingH) / strideH + 1);
    }

    /** First result column whose window holds image column w or a later one. */
    public int firstWindowOfColumn(int w) {
        return Math.max(0, Math.ceilDiv(w + paddingW - windowW + 1, strideW));
    }

    /** Behind the last of the {@code q} result columns whose window holds image column w or an earlier one. */
    public int endWindowOfColumn(int w, int q) {
        return Math.min(q, (w + paddingW) / strideW + 1);
    }

    /** The result's shape (N, P, Q, C); throws if the window does not fit the image. */
    public Shape resultShape(String op, Tensor image, String name) {
        Check.rank(image, 4, op, name);
        if (!(image.size(1) >= 1
                && image.size(2) >= 1
                && image.size(1) + 2L * paddingH >= windowH
                && image.size(2) + 2L * paddingW >= windowW)) {
            throw Check.failed(op, name + " is " + image + ", too small for a " + this);
        }
        return Shape.of(
                image.size(0),
                (image.size(1) + 2L * paddingH - windowH) / strideH + 1,
                (image.size(2) + 2L * paddingW - windowW) / strideW + 1,
                image.size(3));
    }

    /** For example {@code window 3x3 stride 2x2 padding 1x1}. */
    @Override
    public String toString() {
        return "window " + windowH + "x" + windowW + " stride " + strideH + "x" + strideW + " padding " + paddingH + "x"
                + paddingW;
    }

    /** Calls of a pooling op: {@code build} gets the tensors, the image's shape and the geometry. */
    static <A extends OpArgs> List<Case<A>> cases(PooledCase<A> build) {
        BiFunction<Shape, PoolGeometry, Case<A>> make =
                (image, geometry) -> new Case<>(image + " " + geometry, t -> build.args(t, image, geometry));
        List<Case<A>> cases = new ArrayList<>();
        PoolGeometry halving = of(2, 2);
        PoolGeometry overlapping = of(3, 2).withPadding(1);
        Cases.lengths().filter(c -> c < 300).forEach(c -> {
            cases.add(make.apply(Shape.of(2, 4, 6, c), halving));
            cases.add(make.apply(Shape.of(1, 5, 7, c), overlapping));
        });
        for (int c : new int[] {1, 2, 3, 8, 20}) {
            cases.add(make.apply(Shape.of(1, 23, 37, c), halving));
            cases.add(make.apply(Shape.of(1, 23, 37, c), overlapping));
            cases.add(make.apply(Shape.of(2, 9, 11, c), of(3, 1).withPadding(1)));
            cases.add(make.apply(Shape.of(1, 8, 9, c), of(2, 3)));
            cases.add(make.apply(Shape.of(1, 9, 40, c), new PoolGeometry(1, 4, 2, 1, 0, 3)));
            cases.add(make.apply(Shape.of(3, 5, 6, c), new PoolGeometry(5, 6, 1, 1, 0, 0)));
            cases.add(make.apply(Shape.of(1, 1, 1, c), of(2, 1).withPadding(1)));
        }
        // two windows at most over a pixel along each axis, in vectors of any machine
        for (int c : new int[] {16, 48}) {
            cases.add(make.apply(Shape.of(2, 23, 37, c), overlapping));
            cases.add(make.apply(Shape.of(1, 8, 12, c), of(3, 2)));
            cases.add(make.apply(Shape.of(1, 3, 5, c), of(3, 2)));
            cases.add(make.apply(Shape.of(1, 6, 9, c), new PoolGeometry(2, 3, 1, 2, 0, 1)));
            cases.add(make.apply(Shape.of(1, 7, 9, c), new PoolGeometry(4, 3, 2, 2, 1, 2)));
            cases.add(make.apply(Shape.of(1, 7, 8, c), new PoolGeometry(1, 3, 2, 2, 0, 0)));
        }
        cases.add(make.apply(Shape.of(0, 4, 4, 3), halving));
        cases.add(make.apply(Shape.of(5, 56, 56, 3), halving));
        cases.add(make.apply(Shape.of(1, 40, 40, 31), overlapping));
        return cases;
    }

    /** Builds the Args of a pooling op for an image and a geometry. */
    @FunctionalInterface
    interface PooledCase<A extends OpArgs> {
        A args(CaseTensors tensors, Shape image, PoolGeometry geometry);
    }
}
