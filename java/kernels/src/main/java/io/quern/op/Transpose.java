package io.quern.op;

import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.stream.IntStream;

/** y = x with its axes in another order: axis i of y is axis axes[i] of x, written out row-major. */
public final class Transpose implements Op<Transpose.Args> {
    public static final Transpose OP = new Transpose();

    private static final List<Integer> TO_NHWC = List.of(0, 2, 3, 1);
    private static final List<Integer> TO_NCHW = List.of(0, 3, 1, 2);

    /**
     * @param x any shape, strides and dtype
     * @param y x's extents in the order of axes
     * @param axes a permutation of 0 .. rank-1
     */
    public record Args(Tensor x, Tensor y, List<Integer> axes) implements OpArgs {
        public Args {
            Check.present(x, "Transpose", "x");
            axes = List.copyOf(axes);
            Check.shape(y, permuted(x, axes), "Transpose", "y");
            Check.dtype(y, x.dtype(), "Transpose", "y");
            Check.apart(y, x, "Transpose", "y", "x");
        }

        /** x with its strides, seen with y's axes. */
        public Tensor view() {
            return x.permute(axes.stream().mapToInt(Integer::intValue).toArray());
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(x);
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(y);
        }
    }

    private Transpose() {}

    private static Shape permuted(Tensor x, List<Integer> axes) {
        if (!(axes.size() == x.rank()
                && new HashSet<>(axes).size() == x.rank()
                && axes.stream().allMatch(axis -> axis >= 0 && axis < x.rank()))) {
            throw Check.failed("Transpose", "axes " + axes + " are not a permutation of the axes of x, which is " + x);
        }
        return Shape.of(axes.stream().mapToLong(x::size).toArray());
    }

    /** x with its axes in another order, recorded on the tape. */
    public static Tensor apply(Tape tape, Tensor x, List<Integer> axes) {
        Tensor y = tape.allocate(x.dtype(), permuted(x, axes));
        tape.run(OP, new Args(x, y, axes));
        return y;
    }

    /** (N, C, H, W) to (N, H, W, C), recorded on the tape. */
    public static Tensor nchwToNhwc(Tape tape, Tensor x) {
        return apply(tape, x, TO_NHWC);
    }

    /** (N, H, W, C) to (N, C, H, W), recorded on the tape. */
    public static Tensor nhwcToNchw(Tape tape, Tensor x) {
        return apply(tape, x, TO_NCHW);
    }

    @Override
    public void reference(Args args) {
        args.y.copyFrom(args.view());
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    @Override
    public void backward(Args args, Gradients gradients) {
        List<Integer> inverse = IntStream.range(0, args.axes.size())
                .mapToObj(args.axes::indexOf)
                .toList();
        gradients.add(args.x, dx -> gradients.run(OP, new Args(gradients.of(args.y), dx, inverse)));
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(0, args);
    }

    @Override
    public Bound bound(Args args, double u) {
        return Bounds.exact();
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        Cases.lengths().filter(n -> n < 300).forEach(n -> {
            cases.add(of(List.of(1, 0), n, 5));
            cases.add(of(List.of(1, 0), 37, n));
            cases.add(of(TO_NHWC, 2, 3, 5, n));
            cases.add(of(TO_NHWC, 2, n, 3, 7));
            cases.add(of(TO_NCHW, 3, 2, 7, n));
        });
        cases.add(of(List.of()));
        cases.add(of(List.of(0), 33_331));
        cases.add(of(List.of(1, 0), 128, 256));
        cases.add(of(List.of(1, 0), 131, 257));
        cases.add(of(List.of(0, 1, 2), 3, 4, 5));
        cases.add(of(List.of(1, 0, 2), 7, 19, 33));
        cases.add(of(List.of(2, 1, 0), 17, 5, 23));
        cases.add(of(List.of(0, 2, 1), 40, 16, 16));
        cases.add(of(List.of(3, 1, 0, 2, 4), 3, 2, 5, 4, 7));
        cases.add(of(List.of(4, 3, 2, 1, 0), 3, 2, 5, 4, 7));
        cases.add(of(List.of(1, 2, 0), 1, 9, 1));
        cases.add(new Case<>(
                "window of 20x30",
                t -> new Args(t.input(20, 30).slice(0, 1, 18).slice(1, 3, 29), t.output(26, 17), List.of(1, 0))));
        cases.add(new Case<>(
                "every second column",
                t -> new Args(t.input(20, 30, 2).slice(2, 1, 2), t.output(30, 20, 1), List.of(1, 0, 2))));
        cases.add(new Case<>(
                "labels",
                t -> new Args(
                        t.indices(Shape.of(19, 23), -9, 9), t.output(DType.I32, Shape.of(23, 19)), List.of(1, 0))));
        return cases;
    }

    private static Case<Args> of(List<Integer> axes, long... extents) {
        return new Case<>(Shape.of(extents) + " axes " + axes, t -> {
            Tensor x = t.input(extents);
            return new Args(x, t.output(t.dtype(), permuted(x, axes)), axes);
        });
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "not a permutation",
                        t -> new Args(t.input(3, 4), t.output(4, 4), List.of(1, 1)),
                        "axes [1, 1] are not a permutation of the axes of x, which is F32[3x4]"),
                new Rejection(
                        "too few axes",
                        t -> new Args(t.input(3, 4), t.output(4, 3), List.of(1)),
                        "axes [1] are not a permutation"),
                new Rejection(
                        "result shape",
                        t -> new Args(t.input(3, 4), t.output(3, 4), List.of(1, 0)),
                        "Transpose: y is F32[3x4], expected shape 4x3"),
                new Rejection(
                        "in place",
                        t -> {
                            Tensor x = t.input(3, 3);
                            return new Args(x, x, List.of(1, 0));
                        },
                        "y overlaps x"));
    }
}
