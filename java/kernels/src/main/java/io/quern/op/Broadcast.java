package io.quern.op;

import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * y = scale x, repeated along axes first..last of y: the gradient of {@link Reduce}. x is y's shape without them, and has
 * y's dtype, or F32 if that is BF16.
 */
public final class Broadcast implements Op<Broadcast.Args> {
    public static final Broadcast OP = new Broadcast();

    public record Args(Tensor x, Tensor y, double scale, int first, int last) implements OpArgs {
        public Args {
            Check.supported(y, OP, "y");
            new Reduce.Args(y, x, ReduceKind.SUM, first, last);
        }

        private Reduce.Args view() {
            return new Reduce.Args(y, x, ReduceKind.SUM, first, last);
        }

        /** Elements before the repeated axes. */
        public long outer() {
            return view().outer();
        }

        /** How often each element is repeated. */
        public long repeated() {
            return view().reduced();
        }

        /** Elements behind the repeated axes. */
        public long inner() {
            return view().inner();
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

    private Broadcast() {}

    @Override
    public void reference(Args args) {
        long repeated = args.repeated();
        long inner = args.inner();
        for (long o = 0; o < args.outer(); o++) {
            for (long r = 0; r < repeated; r++) {
                for (long i = 0; i < inner; i++) {
                    args.y.set((o * repeated + r) * inner + i, args.scale * args.x.get(o * inner + i));
                }
            }
        }
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    @Override
    public void backward(Args args, Gradients gradients) {
        gradients.add(args.x, dx -> {
            Tensor dy = gradients.of(args.y);
            gradients.run(Reduce.OP, new Reduce.Args(dy, dx, ReduceKind.SUM, args.first, args.last));
            gradients.run(Scale.OP, new Scale.Args(dx, dx, args.scale));
        });
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(args.y.elements(), args);
    }

    @Override
    public Bound bound(Args args, double u) {
        return Bounds.ulps(2, u);
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        Cases.lengths().filter(n -> n > 0).forEach(n -> {
            cases.add(new Case<>("rows 5x" + n, t -> new Args(t.input(n), t.output(5, n), 0.3, 0, 0)));
            cases.add(new Case<>("columns " + n + "x5", t -> new Args(t.input(n), t.output(n, 5), 0.3, 1, 1)));
        });
        cases.add(new Case<>("wide rows 5x48", t -> new Args(t.wide(48), t.output(5, 48), 0.3, 0, 0)));
        cases.add(new Case<>("wide columns 33x5", t -> new Args(t.wide(33), t.output(33, 5), 0.3, 1, 1)));
        cases.add(new Case<>("2x(5x7)x3", t -> new Args(t.input(2, 3), t.output(2, 5, 7, 3), 1, 1, 2)));
        // blocks of a kernel that begin and end within rows and within their repetition
        for (int[] size : new int[][] {{3, 50, 129}, {2, 9, 1009}, {2, 5, 4096}, {2, 5, 4097}}) {
            cases.add(new Case<>(
                    "%dx(%d)x%d".formatted(size[0], size[1], size[2]),
                    t -> new Args(t.input(size[0], size[2]), t.output(size[0], size[1], size[2]), 0.3, 1, 1)));
        }
        return cases;
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(new Rejection(
                "other shape", t -> new Args(t.input(3), t.output(4, 5), 1, 0, 0), "F32[3], expected shape 5"));
    }
}
