package io.quern.op;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * y[..., c] = x[..., c] + bias[c]. x, y: (..., C) with rank 1 or more; bias: (C), of x's dtype. y may be x.
 *
 * <p>The gradient of a BF16 bias is summed in F32 and rounded once.
 */
public final class BiasAdd implements Op<BiasAdd.Args> {
    public static final BiasAdd OP = new BiasAdd();

    public record Args(Tensor x, Tensor bias, Tensor y) implements OpArgs {
        public Args {
            Check.supported(x, OP, "x");
            Check.that(x.rank() > 0, "BiasAdd", "x is a scalar, expected a last axis of channels");
            Check.shape(bias, Shape.of(x.size(-1)), "BiasAdd", "bias");
            Check.dtype(bias, x.dtype(), "BiasAdd", "bias");
            Check.shape(y, x.shape(), "BiasAdd", "y");
            Check.dtype(y, x.dtype(), "BiasAdd", "y");
            Check.inPlaceOrApart(y, x, "BiasAdd", "y", "x");
            Check.apart(y, bias, "BiasAdd", "y", "bias");
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(x, bias);
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(y);
        }
    }

    private BiasAdd() {}

    /** x + bias, recorded on the tape. */
    public static Tensor apply(Tape tape, Tensor x, Tensor bias) {
        Tensor y = tape.allocate(x.dtype(), x.shape());
        tape.run(OP, new Args(x, bias, y));
        return y;
    }

    @Override
    public void reference(Args args) {
        long channels = args.bias.elements();
        for (long i = 0; i < args.y.elements(); i++) {
            args.y.set(i, args.x.get(i) + args.bias.get(i % channels));
        }
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    @Override
    public void backward(Args args, Gradients gradients) {
        Tensor dy = gradients.of(args.y);
        gradients.share(args.x, dy);
        if (args.x.rank() == 1) {
            gradients.share(args.bias, dy);
        } else {
            gradients.add(
                    args.bias,
                    dbias ->
                            gradients.run(Reduce.OP, new Reduce.Args(dy, dbias, ReduceKind.SUM, 0, args.x.rank() - 2)));
        }
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(args.y.elements(), args);
    }

    @Override
    public Bound bound(Args args, double u) {
        return Bounds.ulps(1, u);
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        Cases.lengths().forEach(n -> {
            cases.add(new Case<>("vector of " + n, t -> new Args(t.input(n), t.input(n), t.output(n))));
            cases.add(new Case<>("5x" + n, t -> new Args(t.input(5, n), t.input(n), t.output(5, n))));
        });
        cases.add(new Case<>("no rows", t -> new Args(t.input(0, 4), t.input(4), t.output(0, 4))));
        cases.add(new Case<>("2x3x5x7", t -> new Args(t.input(2, 3, 5, 7), t.input(7), t.output(2, 3, 5, 7))));
        cases.add(new Case<>("3000x10", t -> new Args(t.input(3000, 10), t.input(10), t.output(3000, 10))));
        return cases;
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "bias of other channels",
                        t -> new Args(t.input(3, 4), t.input(3), t.output(3, 4)),
                        "BiasAdd: bias is F32[3], expected shape 4"),
                new Rejection(
                        "scalar", t -> new Args(t.input(), t.input(1), t.output()), "expected a last axis of channels"),
                new Rejection(
                        "y over bias",
                        t -> {
                            Tensor bias = t.input(4);
                            return new Args(t.input(1, 4), bias, bias.reshape(1, 4));
                        },
                        "y overlaps bias"));
    }
}
