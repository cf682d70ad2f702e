package io.quern.op;

import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * y = mean of (a - b)^2 over all elements, a scalar. a: prediction; b: target; of one shape, not empty. y of BF16 is F32: a
 * loss is summed up and compared.
 */
public final class MeanSquaredError implements Op<MeanSquaredError.Args> {
    public static final MeanSquaredError OP = new MeanSquaredError();

    public record Args(Tensor a, Tensor b, Tensor y) implements OpArgs {
        public Args {
            Check.supported(a, OP, "a");
            if (!(a.elements() > 0)) {
                throw Check.failed("MeanSquaredError", "a is " + a + ", expected at least one element");
            }
            Check.shape(b, a.shape(), "MeanSquaredError", "b");
            Check.dtype(b, a.dtype(), "MeanSquaredError", "b");
            Check.shape(y, Shape.of(), "MeanSquaredError", "y");
            Check.dtype(y, a.dtype().accumulator(), "MeanSquaredError", "y");
            Check.apart(y, a, "MeanSquaredError", "y", "a");
            Check.apart(y, b, "MeanSquaredError", "y", "b");
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(a, b);
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(y);
        }
    }

    private MeanSquaredError() {}

    /** The mean squared difference, recorded on the tape. */
    public static Tensor apply(Tape tape, Tensor a, Tensor b) {
        Tensor y = tape.allocate(a.dtype().accumulator(), Shape.of());
        tape.run(OP, new Args(a, b, y));
        return y;
    }

    @Override
    public void reference(Args args) {
        double sum = 0;
        for (long i = 0; i < args.a.elements(); i++) {
            double difference = args.a.get(i) - args.b.get(i);
            sum += difference * difference;
        }
        args.y.set(0, sum / args.a.elements());
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    @Override
    public void backward(Args args, Gradients gradients) {
        Tensor dy = gradients.of(args.y);
        gradients.add(
                args.a,
                da -> gradients.run(
                        MeanSquaredErrorBackward.OP, new MeanSquaredErrorBackward.Args(args.a, args.b, dy, da)));
        gradients.add(
                args.b,
                db -> gradients.run(
                        MeanSquaredErrorBackward.OP, new MeanSquaredErrorBackward.Args(args.b, args.a, dy, db)));
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(3.0 * args.a.elements(), args);
    }

    /** All terms are positive, so the error is relative: of the square, and of a sum in any order. */
    @Override
    public Bound bound(Args args, double u) {
        double gamma = Bounds.gamma(args.a.elements() + 4.0, u);
        return (output, index, reference) -> gamma * reference + 0x1p-124;
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        Cases.lengths()
                .filter(n -> n > 0)
                .forEach(n -> cases.add(new Case<>("n=" + n, t -> new Args(t.input(n), t.input(n), t.wideOutput()))));
        cases.add(new Case<>("3x5x7", t -> new Args(t.input(3, 5, 7), t.input(3, 5, 7), t.wideOutput())));
        return cases;
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "other shape",
                        t -> new Args(t.input(3), t.input(4), t.output()),
                        "MeanSquaredError: b is F32[4], expected shape 3"),
                new Rejection(
                        "nothing", t -> new Args(t.input(0), t.input(0), t.output()), "expected at least one element"),
                new Rejection(
                        "result per element",
                        t -> new Args(t.input(3), t.input(3), t.output(3)),
                        "y is F32[3], expected shape scalar"));
    }
}
