package io.quern.op;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** y[i..., :] = table[indices[i...], :]: rows of a table by number, for example word vectors. */
public final class Embedding implements Op<Embedding.Args> {
    public static final Embedding OP = new Embedding();

    /**
     * @param table (V, D)
     * @param indices any shape, I32, values 0 .. V-1
     * @param y the indices' shape and an axis of D behind
     */
    public record Args(Tensor table, Tensor indices, Tensor y) implements OpArgs {
        public Args {
            Check.supported(table, OP, "table");
            Check.rank(table, 2, "Embedding", "table");
            Check.dtype(indices, DType.I32, "Embedding", "indices");
            Check.shape(y, append(indices.shape(), table.size(1)), "Embedding", "y");
            Check.dtype(y, table.dtype(), "Embedding", "y");
            Check.apart(y, table, "Embedding", "y", "table");
            Check.apart(y, indices, "Embedding", "y", "indices");
        }

        @Override
        public List<Tensor> inputs() {
            return List.of(table, indices);
        }

        @Override
        public List<Tensor> outputs() {
            return List.of(y);
        }
    }

    private Embedding() {}

    static Shape append(Shape shape, long extent) {
        long[] extents = Arrays.copyOf(shape.toArray(), shape.rank() + 1);
        extents[shape.rank()] = extent;
        return Shape.of(extents);
    }

    /** The rows of table: (V, D) that I32 indices name, recorded on the tape. */
    public static Tensor apply(Tape tape, Tensor table, Tensor indices) {
        Check.rank(table, 2, "Embedding", "table");
        Tensor y = tape.allocate(table.dtype(), append(indices.shape(), table.size(1)));
        tape.run(OP, new Args(table, indices, y));
        return y;
    }

    /**
     * What every kernel on the host says of an index outside the table, before anything is written. A kernel on a device says
     * it at the next wait for the device, which any copy to the host is; y has NaNs in place of the row then.
     *
     * @param position row-major rank among the indices
     */
    public static ArgumentException outside(String op, long index, long position, long rows) {
        return new ArgumentException(
                op + ": index " + index + " at position " + position + " is outside a table of " + rows + " rows");
    }

    static void checkRange(String op, Tensor indices, long rows) {
        for (long i = 0; i < indices.elements(); i++) {
            double index = indices.get(i);
            if (index < 0 || index >= rows) {
                throw outside(op, (long) index, i, rows);
            }
        }
    }

    /** @throws ArgumentException for an index outside the table; y is then as it was */
    @Override
    public void reference(Args args) {
        checkRange("Embedding", args.indices, args.table.size(0));
        long width = args.table.size(1);
        for (long i = 0; i < args.indices.elements(); i++) {
            long row = (long) args.indices.get(i);
            for (long d = 0; d < width; d++) {
                args.y.set(i * width + d, args.table.get(row * width + d));
            }
        }
    }

    @Override
    public boolean differentiable() {
        return true;
    }

    @Override
    public void backward(Args args, Gradients gradients) {
        gradients.add(
                args.table,
                dtable -> gradients.run(
                        EmbeddingBackward.OP, new EmbeddingBackward.Args(args.indices, gradients.of(args.y), dtable)));
    }

    /** Bytes of the rows that are read, not of the whole table. */
    @Override
    public Cost cost(Args args) {
        double rows = 2.0 * args.y.elements() * args.y.dtype().bytes();
        return new Cost(0, rows + (double) args.indices.elements() * DType.I32.bytes());
    }

    @Override
    public Bound bound(Args args, double u) {
        return Bounds.exact();
    }

    @Override
    public List<Case<Args>> cases() {
        List<Case<Args>> cases = new ArrayList<>();
        Cases.lengths()
                .filter(d -> d < 300)
                .forEach(d -> cases.add(new Case<>(
                        "11 of 7x" + d, t -> new Args(t.input(7, d), t.indices(Shape.of(11), 0, 7), t.output(11, d)))));
        cases.add(new Case<>("scalar", t -> new Args(t.input(7, 5), t.indices(Shape.of(), 0, 7), t.output(5))));
        cases.add(new Case<>(
                "4x0 of 7x5", t -> new Args(t.input(7, 5), t.indices(Shape.of(4, 0), 0, 7), t.output(4, 0, 5))));
        cases.add(new Case<>(
                "13x50 of 1000x24",
                t -> new Args(t.input(1000, 24), t.indices(Shape.of(13, 50), 0, 1000), t.output(13, 50, 24))));
        cases.add(new Case<>(
                "20011 of 3x1", t -> new Args(t.input(3, 1), t.indices(Shape.of(20_011), 0, 3), t.output(20_011, 1))));
        return cases;
    }

    @Override
    public List<Rejection> rejections() {
        return List.of(
                new Rejection(
                        "real indices",
                        t -> new Args(t.input(7, 5), t.input(3), t.output(3, 5)),
                        "indices is F32[3], expected dtype I32"),
                new Rejection(
                        "result shape",
                        t -> new Args(t.input(7, 5), t.indices(Shape.of(2, 3), 0, 7), t.output(2, 5)),
                        "Embedding: y is F32[2x5], expected shape 2x3x5"),
                new Rejection(
                        "table of rank 3",
                        t -> new Args(t.input(7, 5, 1), t.indices(Shape.of(3), 0, 7), t.output(3, 5)),
                        "table is F32[7x5x1], expected rank 2"),
                new Rejection(
                        "y is a part of the table",
                        t -> {
                            Tensor table = t.input(7, 5);
                            return new Args(table, t.indices(Shape.of(3), 0, 7), table.slice(0, 2, 5));
                        },
                        "y overlaps table"));
    }
}
