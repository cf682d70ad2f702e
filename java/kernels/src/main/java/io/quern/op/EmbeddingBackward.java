package io.quern.op;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * dtable[v, :] = the sum of dy[i..., :] over the positions i with indices[i...] = v, in row-major order; 0 where there is
 * none. BF16: summed in F32, rounded once.
 */
public final class EmbeddingBackward implements Op<EmbeddingBackward.Args> {
    public static final EmbeddingBackward OP = new EmbeddingBackward();

    /**
     * @param indices any shape, I32, values 0 .. V-1
     * @param dy the indices' shape and an axis of D behind
     * @param dtable (V, D)
     */
    public record Args(Tensor indices, Tensor dy, Tensor dtable) implements OpArgs {
        public Args {
            Check.supported(dtable, OP, "dtable");
            Check.rank(dtable, 2, "EmbeddingBackward", "dtable");
            Check.dtype(indices, DType.I32, "EmbeddingBackward", "indices");
            Check.shape(dy, Embedding.append(indices.shape(), dtable.size(1)), "EmbeddingBackward", "dy");
            Check.dtype(dy, dtable.dtype(), "EmbeddingBackward", "dy");
            Check.apart(dtable, dy, "EmbeddingBackward", "dtable", "dy");
            Check.apart(dtable, indices, "EmbeddingBackward", "dtable", "indices");
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(indices, dy);
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(dtable);
        }
    }

    private EmbeddingBackward() {}

    /** @throws ArgumentException for an index outside the table; dtable is then as it was */
    @Override
    public void reference(Args args) {
        Embedding.checkRange("EmbeddingBackward", args.indices, args.dtable.size(0));
        long width = args.dtable.size(1);
        double[] sums = new double[Math.toIntExact(args.dtable.elements())];
        for (long i = 0; i < args.indices.elements(); i++) {
            int row = (int) args.indices.get(i);
            for (int d = 0; d < width; d++) {
                sums[(int) (row * width) + d] += args.dy.get(i * width + d);
            }
        }
        for (int i = 0; i < sums.length; i++) {
            args.dtable.set(i, sums[i]);
        }
    }

    @Override
    public Cost cost(Args args) {
        return Cost.touchingAll(args.dy.elements(), args);
    }

    /** At worst all positions hold one index. */
    @Override
    public Bound bound(Args args, double u) {
        return Bounds.linear(this, args, args.indices.elements(), u);
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        Cases.lengths()
                .filter(d -> d < 300)
                .forEach(d -> cases.add(new Case<>(
                        "11 of 7x" + d, t -> new Args(t.indices(Shape.of(11), 0, 7), t.input(11, d), t.output(7, d)))));
        for (long d : new long[] {1541, 1544}) {
            cases.add(new Case<>(
                    "9 of 4x" + d, t -> new Args(t.indices(Shape.of(9), 0, 4), t.input(9, d), t.output(4, d))));
        }
        cases.add(new Case<>("scalar", t -> new Args(t.indices(Shape.of(), 0, 7), t.input(5), t.output(7, 5))));
        cases.add(new Case<>(
                "4x0 of 7x5", t -> new Args(t.indices(Shape.of(4, 0), 0, 7), t.input(4, 0, 5), t.output(7, 5))));
        cases.add(new Case<>(
                "13x50 of 1000x24",
                t -> new Args(t.indices(Shape.of(13, 50), 0, 1000), t.input(13, 50, 24), t.output(1000, 24))));
        cases.add(new Case<>(
                "20011 of 3x1", t -> new Args(t.indices(Shape.of(20_011), 0, 3), t.input(20_011, 1), t.output(3, 1))));
        cases.add(new Case<>(
                "70 of 2x1033", t -> new Args(t.indices(Shape.of(70), 0, 2), t.input(70, 1033), t.output(2, 1033))));
        cases.add(new Case<>(
                "32, 33, 40 and 195 of 500x24",
                t -> new Args(unequal(t.indices(Shape.of(300), 3, 500)), t.input(300, 24), t.output(500, 24))));
        return cases;
    }

    /** Index 0 at every seventh position of 280, indices 1 and 2 at 32 and 33 of those behind, and the rest as it was. */
    private static Tensor unequal(Tensor indices) {
        for (int i = 0; i < 40; i++) {
            indices.set(7L * i, 0);
            if (i < 32) {
                indices.set(7L * i + 2, 1);
            }
            if (i < 33) {
                indices.set(7L * i + 5, 2);
            }
        }
        return indices;
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "gradient shape",
                        t -> new Args(t.indices(Shape.of(2, 3), 0, 7), t.input(2, 5), t.output(7, 5)),
                        "EmbeddingBackward: dy is F32[2x5], expected shape 2x3x5"),
                new Rejection(
                        "real indices",
                        t -> new Args(t.input(3), t.input(3, 5), t.output(7, 5)),
                        "indices is F32[3], expected dtype I32"),
                new Rejection(
                        "dtable is dy",
                        t -> {
                            Tensor dy = t.input(7, 5);
                            return new Args(t.indices(Shape.of(7), 0, 7), dy, dy);
                        },
                        "dtable overlaps dy"));
    }
}
