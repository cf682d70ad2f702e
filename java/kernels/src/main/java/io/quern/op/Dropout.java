package io.quern.op;

import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * y[i] = x[i] scale if draw i is kept, else 0. Srivastava et al., "Dropout", JMLR 2014.
 *
 * <p>No mask is stored: {@link DropoutMask} says which elements are dropped. The gradient is the same op on dy.
 */
public final class Dropout implements Op<Dropout.Args> {
    public static final Dropout OP = new Dropout();

    /**
     * @param x any shape
     * @param y x's shape; may be x
     * @param p probability of a zero, 0 <= p < 1, quantised to 1/65536
     * @param rng stream of the layer, step of the training
     */
    public record Args(Tensor x, Tensor y, double p, Rng rng) implements OpArgs {
        public Args {
            Check.supported(x, OP, "x");
            Check.shape(y, x.shape(), "Dropout", "y");
            Check.dtype(y, x.dtype(), "Dropout", "y");
            Check.inPlaceOrApart(y, x, "Dropout", "y", "x");
            new DropoutMask(p, rng).check("Dropout");
        }

        public DropoutMask mask() {
            return new DropoutMask(p, rng);
        }

        /** Draws below this are dropped. */
        public int threshold() {
            return mask().threshold();
        }

        /** What kept elements are multiplied by. */
        public float scale() {
            return mask().scale();
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

    private Dropout() {}

    /** Dropout of x, recorded on the tape. */
    public static Tensor apply(Tape tape, Tensor x, double p, Rng rng) {
        Tensor y = tape.allocate(x.dtype(), x.shape());
        tape.run(OP, new Args(x, y, p, rng));
        return y;
    }

    @Override
    public void reference(Args args) {
        DropoutMask mask = args.mask();
        for (long i = 0; i < args.y.elements(); i++) {
            args.y.set(i, mask.apply(i, args.x.get(i)));
        }
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    @Override
    public void backward(Args args, Gradients gradients) {
        gradients.add(args.x, dx -> gradients.run(OP, new Args(gradients.of(args.y), dx, args.p, args.rng)));
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
        for (double p : new double[] {0, 0.1, 0.5, 0.9}) {
            Cases.lengths()
                    .forEach(n -> cases.add(new Case<>(
                            "p=" + p + " n=" + n,
                            t -> new Args(t.input(n), t.output(n), p, new Rng(0x0123456789abcdefL, 3, 7)))));
        }
        return cases;
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "p = 1", t -> new Args(t.input(3), t.output(3), 1, Rng.of(0)), "p is 1.0, expected 0 <= p < 1"),
                new Rejection(
                        "other shape", t -> new Args(t.input(3), t.output(2, 3), 0.5, Rng.of(0)), "expected shape 3"),
                new Rejection(
                        "integers",
                        t -> new Args(t.indices(Shape.of(3), 0, 9), t.output(3), 0.5, Rng.of(0)),
                        "expected one of [F32, F64, BF16]"));
    }
}
