package io.quern.bench;

import io.quern.bench.peer.CastLibtorch;
import io.quern.bench.peer.Library;
import io.quern.op.Cast;
import io.quern.op.Cost;
import io.quern.op.Scale;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Locale;
import java.util.Map;
import org.openjdk.jmh.annotations.Param;

/** Tensors in another dtype. On the host, integers are without kernels. */
public class CastBench extends OpBench {
    private static final int LARGEST_INTEGER = 1000;

    /** From one dtype to the other. */
    @Param({"f32-bf16", "bf16-f32", "f32-f64", "f64-f32"})
    public String types;

    /** Elements. */
    @Param({"16384", "33554432"})
    public int size;

    @Param({"quern", "libtorch"})
    public String impl;

    @Override
    protected Contest contest() {
        DType[] pair = parse(types);
        Contest contest = new Contest("cast " + types + " " + size, threads);
        Tensor values = contest.random(1, Shape.of(size));
        if (!pair[0].isReal() || !pair[1].isReal()) {
            contest.backend().run(Scale.OP, new Scale.Args(values, values, LARGEST_INTEGER));
            // whole numbers: Cast rounds others to the nearest, libtorch towards 0
            Tensor whole = contest.own(Tensor.allocate(DType.I32, Shape.of(size)));
            contest.backend().run(Cast.OP, new Cast.Args(values, whole));
            contest.backend().run(Cast.OP, new Cast.Args(whole, values));
        }
        Tensor x = contest.own(Tensor.allocate(pair[0], Shape.of(size)));
        contest.backend().run(Cast.OP, new Cast.Args(values, x));
        if (pair[0] == DType.F64 && pair[1] == DType.F32) {
            contest.backend().run(Scale.OP, new Scale.Args(x, x, 1 / 3.0)); // or there would be nothing to round
        }
        Tensor y = contest.own(Tensor.allocate(pair[1], Shape.of(size)));
        return contest.quern(Cast.OP, new Cast.Args(x, y), y)
                .add("libtorch", Library.LIBTORCH, () -> CastLibtorch.of(x, y))
                .tolerance(0);
    }

    private static DType[] parse(String types) {
        if (!types.matches("(f32|f64|bf16|i32)-(f32|f64|bf16|i32)")) {
            throw new IllegalArgumentException("types is " + types + ", expected a pair such as f32-bf16");
        }
        String[] names = types.toUpperCase(Locale.ROOT).split("-");
        return new DType[] {DType.valueOf(names[0]), DType.valueOf(names[1])};
    }

    /** Bytes that must move: one read, one write. */
    public static Cost cost(Map<String, String> row) {
        DType[] pair = parse(row.get("types"));
        return new Cost(0, (pair[0].bytes() + pair[1].bytes()) * Double.parseDouble(row.get("size")));
    }
}
