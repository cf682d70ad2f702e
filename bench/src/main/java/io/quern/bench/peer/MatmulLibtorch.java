package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.op.Matmul;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** at::mm_out on the shared memory. */
public final class MatmulLibtorch implements Contender {
    private final Tensor a;
    private final Tensor b;
    private final Tensor c;

    public MatmulLibtorch(Matmul.Args args) {
        Tensor storedA = Libtorch.over(args.a());
        Tensor storedB = Libtorch.over(args.b());
        a = args.transposeA() ? storedA.t() : storedA;
        b = args.transposeB() ? storedB.t() : storedB;
        c = Libtorch.over(args.c());
    }

    @Override
    public void run() {
        torch.mm_out(c, a, b).close();
    }
}
