package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.bench.Fastest;
import io.quern.op.Matmul;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;

/** oneDNN's matmul primitive: on plain strides, or with b in the layout the primitive likes best. */
public final class MatmulOneDnn {
    private MatmulOneDnn() {}

    /** b of nn and nt is a weight, which a program can lay out once; a and b of tn are both new in each step. */
    public static Contender fastest(Matmul.Args args) {
        Fastest fastest = new Fastest("onednn matmul").or("plain", () -> create(args, false));
        if (!args.transposeA()) {
            fastest.or("packed", () -> create(args, true));
        }
        return fastest.choose();
    }

    private static Contender create(Matmul.Args args, boolean packed) {
        long m = args.m();
        long n = args.n();
        long k = args.k();
        memory.desc a = OneDnn.plain(new long[] {m, k}, args.transposeA() ? new long[] {1, m} : new long[] {k, 1});
        memory.desc b = OneDnn.plain(new long[] {k, n}, args.transposeB() ? new long[] {1, k} : new long[] {n, 1});
        memory.desc c = OneDnn.plain(new long[] {m, n}, new long[] {n, 1});
        matmul.primitive_desc description = new matmul.primitive_desc(OneDnn.CPU, a, packed ? OneDnn.any(k, n) : b, c);
        return new OneDnn()
                .input(dnnl.DNNL_ARG_SRC, args.a(), a, description.src_desc())
                .input(dnnl.DNNL_ARG_WEIGHTS, args.b(), b, description.weights_desc())
                .output(dnnl.DNNL_ARG_DST, args.c(), c, description.dst_desc())
                .of(new matmul(description));
    }
}
