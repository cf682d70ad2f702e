// Long because of its cases: each reaches another loop, layout or border of the kernels.
package io.quern.op;

import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * c = d(f(alpha op(a) op(b) + beta c + bias)), where op transposes if asked, f is an activation and d is dropout.
 *
 * <p>op(a): (m, k), op(b): (k, n), c: (m, n), bias: (n). With a leading batch axis on a, b and c, the product is taken
 * per item. If f needs its input for the gradient, {@code preactivation} receives it. Dropout draws by the index in c, so
 * the result has the bits of {@link Dropout} on the product.
 *
 * <p>BF16 operands are multiplied exactly and summed in F32; the result is BF16, rounded once, or F32. The backward pass of
 * such a call computes in F32 and rounds what it multiplies, and each gradient, to BF16.
 */
public final class Matmul implements Op<Matmul.Args> {
    public static final Matmul OP = new Matmul();

    /** Of the cases. */
    private static final Rng DRAWS = new Rng(0x0123456789abcdefL, 3, 7);

    /**
     * @param a (m, k), or (k, m) if transposeA; optionally a batch axis in front
     * @param b (k, n), or (n, k) if transposeB, of a's dtype
     * @param bias (n), of c's dtype, or null
     * @param c (m, n), of a's dtype, or F32 if that is BF16; read only if beta is not 0
     * @param preactivation c's shape and dtype, or null
     * @param dropout which elements of f's result to set to zero, or null
     * @param precision how exactly F32 operands must be taken
     * @param packing where the kernel may keep b, which is then the same in all calls with it, or null
     */
    public record Args(
            Tensor a,
            Tensor b,
            Tensor bias,
            Tensor c,
            Tensor preactivation,
            boolean transposeA,
            boolean transposeB,
            double alpha,
            double beta,
            ActivationKind activation,
            DropoutMask dropout,
            Precision precision,
            Packing packing)
            implements OpArgs {
        public Args {
            Check.supported(a, OP, "a");
            if (!(a.rank() == 2 || a.rank() == 3)) {
                throw Check.failed("Matmul", "a is " + a + ", expected rank 2 or 3");
            }
            Check.rank(b, a.rank(), "Matmul", "b");
            Check.dtype(b, a.dtype(), "Matmul", "b");
            long m = a.size(transposeA ? -1 : -2);
            long k = a.size(transposeA ? -2 : -1);
            long n = b.size(transposeB ? -2 : -1);
            if (!(b.size(transposeB ? -1 : -2) == k && (a.rank() == 2 || a.size(0) == b.size(0)))) {
                throw Check.failed(
                        "Matmul",
                        "a" + (transposeA ? " transposed" : "") + " is " + a + " and b"
                                + (transposeB ? " transposed" : "") + " is " + b + ": inner or batch extents differ");
            }
            Shape result = a.rank() == 2 ? Shape.of(m, n) : Shape.of(a.size(0), m, n);
            Check.shape(c, result, "Matmul", "c");
            Check.storedOrSummed(c, a.dtype(), "Matmul", "c");
            Check.apart(c, a, "Matmul", "c", "a");
            Check.apart(c, b, "Matmul", "c", "b");
            if (bias != null) {
                Check.shape(bias, Shape.of(n), "Matmul", "bias");
                Check.dtype(bias, c.dtype(), "Matmul", "bias");
                Check.apart(c, bias, "Matmul", "c", "bias");
            }
            if (preactivation != null) {
                Check.shape(preactivation, result, "Matmul", "preactivation");
                Check.dtype(preactivation, c.dtype(), "Matmul", "preactivation");
                Check.apart(preactivation, c, "Matmul", "preactivation", "c");
                Check.apart(preactivation, a, "Matmul", "preactivation", "a");
                Check.apart(preactivation, b, "Matmul", "preactivation", "b");
            }
            Objects.requireNonNull(activation, "activation");
            Objects.requireNonNull(precision, "precision");
            if (dropout != null) {
                dropout.check("Matmul");
            }
        }

        /** With full precision. */
        public Args(
                Tensor a,
                Tensor b,
                Tensor bias,
                Tensor c,
                Tensor preactivation,
                boolean transposeA,
                boolean transposeB,
                double alpha,
                double beta,
                ActivationKind activation,
                DropoutMask dropout) {
            this(
                    a,
                    b,
                    bias,
                    c,
                    preactivation,
                    transposeA,
                    transposeB,
                    alpha,
                    beta,
                    activation,
                    dropout,
                    Precision.FULL,
                    null);
        }

        /** Without dropout. */
        public Args(
                Tensor a,
                Tensor b,
                Tensor bias,
                Tensor c,
                Tensor preactivation,
                boolean transposeA,
                boolean transposeB,
                double alpha,
                double beta,
                ActivationKind activation) {
            this(a, b, bias, c, preactivation, transposeA, transposeB, alpha, beta, activation, null);
        }

        /** c = op(a) op(b). */
        public Args(Tensor a, Tensor b, Tensor c, boolean transposeA, boolean transposeB) {
            this(a, b, null, c, null, transposeA, transposeB, 1, 0, ActivationKind.NONE);
        }

        /** The same call, b kept packed from the first one on. */
        public Args packed(Packing packing) {
            return new Args(
                    a,
                    b,
                    bias,
                    c,
                    preactivation,
                    transposeA,
                    transposeB,
                    alpha,
                    beta,
                    activation,
                    dropout,
                    precision,
                    packing);
        }

        public long batch() {
            return a.rank() == 2 ? 1 : a.size(0);
        }

        public int m() {
            return c.dim(-2);
        }

        public int n() {
            return c.dim(-1);
        }

        public int k() {
            return a.dim(transposeA ? -2 : -1);
        }

        @Override
        public List<Tensor> inputs() {
            return Stream.of(a, b, bias, beta == 0 ? null : c)
                    .filter(Objects::nonNull)
                    .toList();
        }

        @Override
        public List<Tensor> outputs() {
            return preactivation == null ? List.of(c) : List.of(c, preactivation);
        }
    }

    private Matmul() {}

    /** f(x w + bias), recorded on the tape. x: (m, k), w: (k, n), bias: (n) or null. */
    public static Tensor apply(Tape tape, Tensor x, Tensor w, Tensor bias, ActivationKind activation) {
        return apply(tape, x, w, bias, activation, null);
    }

    /** The same with dropout of the result, if it is not null. */
    public static Tensor apply(
            Tape tape, Tensor x, Tensor w, Tensor bias, ActivationKind activation, DropoutMask dropout) {
        return apply(tape, x, w, bias, activation, dropout, null);
    }

    /** The same with a w that kernels may keep packed, if {@code packing} is not null. */
    public static Tensor apply(
            Tape tape,
            Tensor x,
            Tensor w,
            Tensor bias,
            ActivationKind activation,
            DropoutMask dropout,
            Packing packing) {
        Shape shape = Shape.of(x.size(0), w.size(1));
        Tensor y = tape.allocate(x.dtype(), shape);
        boolean saves = !activation.fromOutput() && (tape.tracks(x) || tape.tracks(w) || tape.tracks(bias));
        Tensor preactivation = saves ? tape.allocate(x.dtype(), shape) : null;
        Args args = new Args(x, w, bias, y, preactivation, false, false, 1, 0, activation, dropout);
        tape.run(OP, packing == null ? args : args.packed(packing));
        return y;
    }

    @Override
    public void reference(Args args) {
        int m = args.m();
        int n = args.n();
        int k = args.k();
        for (long batch = 0; batch < args.batch(); batch++) {
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    double sum = 0;
                    for (int p = 0; p < k; p++) {
                        long ai = args.transposeA ? (batch * k + p) * m + i : (batch * m + i) * k + p;
                        long bi = args.transposeB ? (batch * n + j) * k + p : (batch * k + p) * n + j;
                        sum += args.a.get(ai) * args.b.get(bi);
                    }
                    long ci = (batch * m + i) * n + j;
                    sum *= args.alpha;
                    if (args.beta != 0) {
                        sum += args.beta * args.c.get(ci);
                    }
                    if (args.bias != null) {
                        sum += args.bias.get(j);
                    }
                    if (args.preactivation != null) {
                        args.preactivation.set(ci, sum);
                    }
                    double value = args.activation.value(sum);
                    args.c.set(ci, args.dropout == null ? value : args.dropout.apply(ci, value));
                }
            }
        }
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    @Override
    public boolean hasGradient(Args args, Tensor input) {
        return args.beta == 0 && (args.activation.fromOutput() || args.preactivation != null);
    }

    /** dz = d(dc) f'; da = alpha dz b^T, db = alpha a^T dz (transposed as asked), dbias = column sums of dz. */
    @Override
    public void backward(Args args, Gradients gradients) {
        if (!(args.beta == 0)) {
            throw Check.failed("Matmul", "no gradient with beta " + args.beta);
        }
        ActivationKind kind = args.activation;
        if (!(kind.fromOutput() || args.preactivation != null)) {
            throw Check.failed("Matmul", "the gradient of " + kind.label() + " needs preactivation");
        }
        Tensor dz = gradients.cast(gradients.of(args.c), args.c.dtype().accumulator());
        if (args.dropout != null) {
            Tensor dc = dz;
            dz = gradients.allocate(dc.dtype(), dc.shape());
            gradients.run(Dropout.OP, new Dropout.Args(dc, dz, args.dropout.p(), args.dropout.rng()));
        }
        if (kind != ActivationKind.NONE) {
            Tensor dy = dz;
            Tensor known = kind.fromOutput() ? activated(args, gradients) : args.preactivation;
            dz = gradients.allocate(dy.dtype(), dy.shape());
            gradients.run(
                    ActivationBackward.OP,
                    new ActivationBackward.Args(gradients.cast(known, dy.dtype()), dy, dz, kind));
        }
        Tensor wide = dz;
        Tensor signal = gradients.cast(dz, args.a.dtype());
        gradients.add(
                args.a,
                da -> gradients.run(
                        OP,
                        args.transposeA
                                ? product(args, args.b, signal, da, args.transposeB, true)
                                : product(args, signal, args.b, da, false, !args.transposeB)));
        gradients.add(
                args.b,
                db -> gradients.run(
                        OP,
                        args.transposeB
                                ? product(args, signal, args.a, db, true, args.transposeA)
                                : product(args, args.a, signal, db, !args.transposeA, false)));
        gradients.add(args.bias, dbias -> {
            Tensor sums = dbias.dtype() == wide.dtype() ? dbias : gradients.allocate(wide.dtype(), dbias.shape());
            gradients.run(Reduce.OP, new Reduce.Args(wide, sums, ReduceKind.SUM, 0, wide.rank() - 2));
            if (sums != dbias) {
                gradients.run(Cast.OP, new Cast.Args(sums, dbias));
            }
        });
    }

    /** f's result, from c where dropout has scaled it; what it dropped does not matter, its dy is 0. */
    private static Tensor activated(Args args, Gradients gradients) {
        Tensor c = gradients.cast(args.c, args.c.dtype().accumulator());
        if (args.dropout == null || args.activation.fromSign()) {
            return c;
        }
        Tensor y = gradients.allocate(c.dtype(), c.shape());
        gradients.run(Scale.OP, new Scale.Args(c, y, 1.0 / args.dropout.scale()));
        return y;
    }

    /** A product of the backward pass of the given call. */
    private static Args product(Args forward, Tensor a, Tensor b, Tensor c, boolean transposeA, boolean transposeB) {
        return new Args(
                a,
                b,
                null,
                c,
                null,
                transposeA,
                transposeB,
                forward.alpha,
                0,
                ActivationKind.NONE,
                null,
                forward.precision,
                null);
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(2.0 * args.batch() * args.m() * args.n() * args.k(), args);
    }

    /**
     * gamma_{k+3} times the product of absolute values; activations have slope at most 1.13 and few ulps of their own;
     * dropout scales both, or leaves an exact 0 whatever it drops. Rounded operands add their error to each product.
     */
    @Override
    public Bound bound(Args args, double u) {
        Args plain = new Args(
                args.a,
                args.b,
                args.bias,
                args.c,
                null,
                args.transposeA,
                args.transposeB,
                args.alpha,
                0,
                ActivationKind.NONE);
        Bound sum = Bounds.linear(this, plain, args.k() + 3.0 + args.precision.rounding(u), u);
        double beta = Math.abs(args.beta);
        double scale = args.dropout == null ? 1 : args.dropout.scale();
        return (output, index, reference) -> output == 0 && args.dropout != null && args.dropout.drops(index)
                ? 0
                : scale * (1.2 * sum.at(0, index, 0) + beta * 8 * u) + 17 * u * Math.abs(reference);
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        int[][] sizes = {
            {1, 1, 1},
            {1, 17, 5},
            {5, 1, 7},
            {3, 4, 0},
            {0, 3, 4},
            {7, 8, 9},
            {8, 16, 16},
            {8, 32, 33},
            {13, 33, 31},
            {16, 31, 64},
            {17, 65, 19},
            {31, 33, 127},
            {64, 64, 64},
            {2, 130, 300},
            {67, 3, 257},
            {33, 100, 513},
            {40, 40, 6},
            {205, 70, 11},
            // one row beyond whole tiles, few columns
            {193, 50, 7},
            {199, 28, 5},
            {199, 14, 5},
            {200, 70, 11}
        };
        for (int[] size : sizes) {
            for (int layout = 0; layout < 4; layout++) {
                boolean ta = (layout & 1) != 0;
                boolean tb = (layout & 2) != 0;
                cases.add(product(size[0], size[1], size[2], ta, tb, 1, 0, false, ActivationKind.NONE));
            }
            cases.add(product(size[0], size[1], size[2], false, false, -0.5, 1, false, ActivationKind.NONE));
            cases.add(product(size[0], size[1], size[2], false, true, 2, 0.25, true, ActivationKind.RELU));
        }
        for (ActivationKind kind : ActivationKind.values()) {
            cases.add(product(19, 37, 21, false, false, 1, 0, true, kind));
            cases.add(product(3, 5, 2, false, false, 1, 0, true, kind));
        }
        for (ActivationKind kind : ActivationKind.values()) {
            cases.add(dropped(19, 37, 21, true, 0.3, kind));
        }
        for (double p : new double[] {0, 0.5}) {
            cases.add(dropped(5, 8, 40, false, p, ActivationKind.NONE));
            cases.add(dropped(3, 1, 70, true, p, ActivationKind.RELU));
            cases.add(dropped(1, 67, 33, true, p, ActivationKind.RELU));
            cases.add(dropped(70, 300, 9, true, p, ActivationKind.RELU));
        }
        cases.add(new Case<>(
                "batch 3 of 5x7x9 dropout",
                t -> new Args(
                        t.input(3, 5, 9),
                        t.input(3, 9, 7),
                        t.input(7),
                        t.output(3, 5, 7),
                        null,
                        false,
                        false,
                        1,
                        0,
                        ActivationKind.RELU,
                        new DropoutMask(0.5, DRAWS))));
        for (int layout = 0; layout < 4; layout++) {
            boolean ta = (layout & 1) != 0;
            boolean tb = (layout & 2) != 0;
            cases.add(wide(40, 72, 65, ta, tb, ActivationKind.RELU));
            cases.add(wide(33, 30, 140, ta, tb, ActivationKind.SILU));
            cases.add(rounded(40, 72, 65, ta, tb));
            cases.add(rounded(33, 30, 140, ta, tb));
            // tiles that a Hopper's copy engine can bring
            cases.add(product(72, 136, 72, ta, tb, 1, 0, true, ActivationKind.RELU));
            // k in parts that other blocks have
            cases.add(product(24, 40, 1100, ta, tb, 1, 0, true, ActivationKind.RELU));
            cases.add(product(5, 19, 777, ta, tb, 1, 0.5, false, ActivationKind.NONE));
        }
        cases.add(dropped(24, 40, 1100, true, 0.5, ActivationKind.TANH));
        cases.add(dropped(64, 72, 1032, true, 0.5, ActivationKind.RELU));
        cases.add(dropped(5, 19, 777, false, 0.5, ActivationKind.GELU));
        for (ActivationKind kind : ActivationKind.values()) {
            cases.add(evaluated(43, 128, 24, kind, 0));
            cases.add(evaluated(43, 64, 24, kind, 0.3));
        }
        cases.add(product(150, 130, 140, false, false, 1, 0, true, ActivationKind.RELU));
        cases.add(product(150, 130, 140, true, false, 1, 0, false, ActivationKind.NONE));
        for (int layout = 0; layout < 4; layout++) {
            boolean ta = (layout & 1) != 0;
            boolean tb = (layout & 2) != 0;
            cases.add(new Case<>(
                    "batch 3 of 5x7x9 " + layout(ta, tb),
                    t -> new Args(
                            ta ? t.input(3, 9, 5) : t.input(3, 5, 9),
                            tb ? t.input(3, 7, 9) : t.input(3, 9, 7),
                            t.output(3, 5, 7),
                            ta,
                            tb)));
        }
        return cases;
    }

    private static Case<Args> product(
            int m, int n, int k, boolean ta, boolean tb, double alpha, double beta, boolean bias, ActivationKind kind) {
        String label = m + "x" + n + "x" + k + " " + layout(ta, tb) + " alpha=" + alpha + " beta=" + beta
                + (bias ? " bias" : "") + " " + kind.label();
        return new Case<>(
                label,
                t -> new Args(
                        ta ? t.input(k, m) : t.input(m, k),
                        tb ? t.input(n, k) : t.input(k, n),
                        bias ? t.input(n) : null,
                        beta == 0 ? t.output(m, n) : t.input(m, n),
                        kind.fromOutput() ? null : t.output(m, n),
                        ta,
                        tb,
                        alpha,
                        beta,
                        kind));
    }

    private static Case<Args> dropped(int m, int n, int k, boolean bias, double p, ActivationKind kind) {
        return new Case<>(
                m + "x" + n + "x" + k + (bias ? " bias " : " ") + kind.label() + " dropout " + p,
                t -> new Args(
                        t.input(m, k),
                        t.input(k, n),
                        bias ? t.input(n) : null,
                        t.output(m, n),
                        kind.fromOutput() ? null : t.output(m, n),
                        false,
                        false,
                        1,
                        0,
                        kind,
                        new DropoutMask(p, DRAWS)));
    }

    /** As evaluation and benchmarks call it: with nothing kept for a gradient, rows of whole vectors. */
    private static Case<Args> evaluated(int m, int n, int k, ActivationKind kind, double p) {
        return new Case<>(
                m + "x" + n + "x" + k + " evaluated bias " + kind.label() + " dropout " + p,
                t -> new Args(
                        t.input(m, k),
                        t.input(k, n),
                        t.input(n),
                        t.output(m, n),
                        null,
                        false,
                        false,
                        1,
                        0,
                        kind,
                        p == 0 ? null : new DropoutMask(p, DRAWS)));
    }

    /** The result in the type of the sums. */
    private static Case<Args> wide(int m, int n, int k, boolean ta, boolean tb, ActivationKind kind) {
        return new Case<>(m + "x" + n + "x" + k + " " + layout(ta, tb) + " wide " + kind.label(), t -> {
            DType sums = t.dtype().accumulator();
            Shape shape = Shape.of(m, n);
            return new Args(
                    ta ? t.input(k, m) : t.input(m, k),
                    tb ? t.input(n, k) : t.input(k, n),
                    null,
                    t.output(sums, shape),
                    kind.fromOutput() ? null : t.output(sums, shape),
                    ta,
                    tb,
                    1,
                    0,
                    kind);
        });
    }

    /** Operands that may be rounded. */
    private static Case<Args> rounded(int m, int n, int k, boolean ta, boolean tb) {
        return new Case<>(
                m + "x" + n + "x" + k + " " + layout(ta, tb) + " tf32",
                t -> new Args(
                        ta ? t.input(k, m) : t.input(m, k),
                        tb ? t.input(n, k) : t.input(k, n),
                        t.input(n),
                        t.output(m, n),
                        null,
                        ta,
                        tb,
                        1,
                        0,
                        ActivationKind.RELU,
                        null,
                        Precision.TF32,
                        null));
    }

    private static String layout(boolean ta, boolean tb) {
        return (ta ? "t" : "n") + (tb ? "t" : "n");
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "inner extents",
                        t -> new Args(t.input(2, 3), t.input(4, 5), t.output(2, 5), false, false),
                        "inner or batch extents differ"),
                new Rejection(
                        "result shape",
                        t -> new Args(t.input(2, 3), t.input(3, 5), t.output(5, 2), false, false),
                        "c is F32[5x2], expected shape 2x5"),
                new Rejection(
                        "integers",
                        t -> new Args(t.indices(Shape.of(2, 3), 0, 9), t.input(3, 5), t.output(2, 5), false, false),
                        "a is I32[2x3], expected one of [F32, F64, BF16]; convert with Cast"),
                new Rejection(
                        "wider operands than result",
                        t -> new Args(t.input(2, 3), t.input(3, 5), t.output(DType.BF16, Shape.of(2, 5)), false, false),
                        "c is BF16[2x5], expected dtype F32"),
                new Rejection(
                        "bias of another dtype",
                        t -> new Args(
                                t.output(DType.BF16, Shape.of(2, 3)),
                                t.output(DType.BF16, Shape.of(3, 5)),
                                t.input(5),
                                t.output(DType.BF16, Shape.of(2, 5)),
                                null,
                                false,
                                false,
                                1,
                                0,
                                ActivationKind.NONE),
                        "bias is F32[5], expected dtype BF16"),
                new Rejection(
                        "rank",
                        t -> new Args(t.input(2), t.input(2), t.output(1), false, false),
                        "expected rank 2 or 3"),
                new Rejection(
                        "p = 1",
                        t -> new Args(
                                t.input(2, 3),
                                t.input(3, 5),
                                null,
                                t.output(2, 5),
                                null,
                                false,
                                false,
                                1,
                                0,
                                ActivationKind.NONE,
                                new DropoutMask(1, Rng.of(0))),
                        "Matmul: p is 1.0, expected 0 <= p < 1"),
                new Rejection(
                        "c is a",
                        t -> {
                            Tensor a = t.input(3, 3);
                            return new Args(a, t.input(3, 3), a, false, false);
                        },
                        "c overlaps a"));
    }
}
