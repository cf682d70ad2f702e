package io.quern.data;

import io.quern.data.StrokePaths.StrokePath;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;

/**
 * A data set that needs no download: digits written with a pen, 28x28 gray, drawn from stroke paths. A pure function of
 * (seed, index) with the same bits on every machine; sample i is a digit i mod 10, so any prefix is balanced.
 *
 * <p>What varies: style, control points, rotation, scale, shear, place, a smooth warp, pen width, softness, contrast,
 * background, noise, gaps and stray strokes. The place varies most, which is what a linear model cannot follow.
 *
 * <p>A sample is drawn when it is first read and kept as bytes: a training starts at once, and its loader draws ahead.
 */
public final class Strokes implements Dataset {
    /** Height and width in pixels. */
    public static final int SIZE = 28;

    public static final int TRAIN = 30_000;
    public static final int TEST = 10_000;

    private static final List<String> NAMES =
            IntStream.range(0, 10).mapToObj(Integer::toString).toList();
    private static final Shape SHAPE = Shape.of(SIZE, SIZE, 1);
    private static final int LENGTH = SIZE * SIZE;
    private static final int CURVE_STEPS = 8;

    private final int size;
    private final long seed;
    private final int stream;
    private final byte[] pixels;
    /** One bit per sample, set after its pixels are written. Two threads may draw a sample at once: the same bytes. */
    private final AtomicIntegerArray drawn;

    private Strokes(int size, long seed, int stream) {
        if (size < 0 || size > Integer.MAX_VALUE / 2 / LENGTH) {
            throw new ArgumentException(size + " samples, expected 0 to " + Integer.MAX_VALUE / 2 / LENGTH);
        }
        this.size = size;
        this.seed = seed;
        this.stream = stream;
        this.pixels = new byte[size * LENGTH];
        this.drawn = new AtomicIntegerArray((size + 31) / 32);
    }

    /** Training samples 0..count-1. */
    public static Strokes train(int count, long seed) {
        return new Strokes(count, seed, Streams.STROKES_TRAIN);
    }

    /** Test samples 0..count-1: other draws than those of {@link #train} with the same seed. */
    public static Strokes test(int count, long seed) {
        return new Strokes(count, seed, Streams.STROKES_TEST);
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public Shape sampleShape() {
        return SHAPE;
    }

    @Override
    public List<String> classNames() {
        return NAMES;
    }

    @Override
    public int label(int index) {
        return index % 10;
    }

    @Override
    public String formula() {
        return "strokes size " + size + " seed " + seed + " stream " + stream;
    }

    @Override
    public void read(int index, float[] destination, int offset) {
        SampleIndex.check(index, size);
        int word = index >> 5;
        int bit = 1 << (index & 31);
        if ((drawn.getAcquire(word) & bit) == 0) {
            draw(index % 10, new Draws(new Rng(seed, stream, index)), pixels, index * LENGTH);
            drawn.getAndUpdate(word, bits -> bits | bit);
        }
        ByteImages.convert(pixels, index * LENGTH, LENGTH, destination, offset);
    }

    private static void draw(int digit, Draws draws, byte[] pixels, int offset) {
        StrokePath path = StrokePaths.path(digit, draws.below(StrokePaths.styles(digit)));
        Pen pen = new Pen(draws);
        StrokeCanvas canvas = new StrokeCanvas(SIZE);
        if (draws.chance(0.25)) {
            stray(draws, pen, canvas);
        }
        write(path, new Placement(draws), draws, pen, canvas);
        if (draws.chance(0.15)) {
            double x = draws.between(6, 22);
            double y = draws.between(6, 22);
            canvas.erase(x, y, x + draws.between(-4, 4), y + draws.between(-4, 4), draws.between(0.5, 1.1));
        }
        canvas.develop(draws.between(0, 0.15), draws.between(0, 0.09), draws, pixels, offset);
    }

    private static void write(StrokePath path, Placement placement, Draws draws, Pen pen, StrokeCanvas canvas) {
        double[] points = path.points().clone();
        for (int i = 0; i < points.length; i++) {
            points[i] += draws.between(-0.035, 0.035);
        }
        for (int i = 0; i < path.verbs().length; i++) {
            int at = 2 * i;
            switch (path.verbs()[i]) {
                case 'M' -> placement.moveTo(points[at], points[at + 1]);
                case 'L' -> line(points, at, placement, pen, canvas);
                case 'C' -> curve(points, at, placement, pen, canvas);
                default -> {}
            }
        }
    }

    /** From the point before {@code at} to that one; cut in pieces so that the warp bends it. */
    private static void line(double[] points, int at, Placement placement, Pen pen, StrokeCanvas canvas) {
        for (int step = 1; step <= 4; step++) {
            double t = step / 4.0;
            placement.lineTo(
                    points[at - 2] + t * (points[at] - points[at - 2]),
                    points[at - 1] + t * (points[at + 1] - points[at - 1]),
                    pen,
                    canvas);
        }
    }

    /** The curve that ends at {@code at}; its start and control points come before. */
    private static void curve(double[] points, int at, Placement placement, Pen pen, StrokeCanvas canvas) {
        for (int step = 1; step <= CURVE_STEPS; step++) {
            double t = (double) step / CURVE_STEPS;
            double u = 1 - t;
            double a = u * u * u;
            double b = 3 * u * u * t;
            double c = 3 * u * t * t;
            double d = t * t * t;
            placement.lineTo(
                    a * points[at - 6] + b * points[at - 4] + c * points[at - 2] + d * points[at],
                    a * points[at - 5] + b * points[at - 3] + c * points[at - 1] + d * points[at + 1],
                    pen,
                    canvas);
        }
    }

    /** A short faint stroke near the border, as from a neighbouring letter. */
    private static void stray(Draws draws, Pen pen, StrokeCanvas canvas) {
        double along = draws.between(0, SIZE);
        double depth = draws.between(0, 2.5);
        int side = draws.below(4);
        double x = side == 0 ? depth : side == 1 ? SIZE - depth : along;
        double y = side == 2 ? depth : side == 3 ? SIZE - depth : along;
        double toX = x + draws.between(-5, 5);
        double toY = y + draws.between(-5, 5);
        canvas.segment(x, y, toX, toY, pen.radius * 0.8, pen.softness, pen.strength * 0.7);
    }

    private static final class Pen {
        private final double radius;
        private final double softness;
        private final double strength;

        Pen(Draws draws) {
            radius = draws.between(0.7, 1.6);
            softness = draws.between(0.8, 2.0);
            strength = draws.between(0.6, 1.0);
        }
    }

    /** From the unit square of the paths to pixels: a smooth warp of two waves, then an affine map. */
    private static final class Placement {
        private final double waveX;
        private final double waveY;
        private final double phaseX;
        private final double phaseY;
        private final double xx;
        private final double xy;
        private final double yx;
        private final double yy;
        private final double centreX;
        private final double centreY;
        private double lastX;
        private double lastY;

        Placement(Draws draws) {
            waveX = draws.between(-0.06, 0.06);
            waveY = draws.between(-0.06, 0.06);
            phaseX = draws.between(0, 2 * Math.PI);
            phaseY = draws.between(0, 2 * Math.PI);
            double angle = draws.between(-0.26, 0.26);
            double shear = draws.between(-0.3, 0.3);
            double height = draws.between(14, 21);
            double width = height * draws.between(0.75, 1.1);
            // strict: the same bits on every machine
            double sine = StrictMath.sin(angle);
            double cosine = StrictMath.cos(angle);
            xx = cosine * width;
            xy = (cosine * shear - sine) * height;
            yx = sine * width;
            yy = (sine * shear + cosine) * height;
            centreX = SIZE / 2.0 + draws.between(-3, 3);
            centreY = SIZE / 2.0 + draws.between(-2.5, 2.5);
        }

        private double x(double x, double y) {
            double warped = x + waveX * StrictMath.sin(phaseX + 5 * y) - 0.5;
            double other = y + waveY * StrictMath.sin(phaseY + 5 * x) - 0.5;
            return centreX + xx * warped + xy * other;
        }

        private double y(double x, double y) {
            double warped = x + waveX * StrictMath.sin(phaseX + 5 * y) - 0.5;
            double other = y + waveY * StrictMath.sin(phaseY + 5 * x) - 0.5;
            return centreY + yx * warped + yy * other;
        }

        void moveTo(double x, double y) {
            lastX = x(x, y);
            lastY = y(x, y);
        }

        void lineTo(double x, double y, Pen pen, StrokeCanvas canvas) {
            double toX = x(x, y);
            double toY = y(x, y);
            canvas.segment(lastX, lastY, toX, toY, pen.radius, pen.softness, pen.strength);
            lastX = toX;
            lastY = toY;
        }
    }
}
