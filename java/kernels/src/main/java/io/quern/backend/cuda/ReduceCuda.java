package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Reduce;
import io.quern.op.ReduceKind;
import io.quern.tensor.DType;
import io.quern.tensor.Tensor;
import java.util.Map;

/**
 * reduce.cu: short rows at once; long ones and columns in pieces, whose results are reduced in a second launch. How many
 * pieces depends on the shape alone.
 */
final class ReduceCuda implements Kernel<Reduce.Args> {
    private static final int BLOCK = 256;
    private static final long SHORT_ROW = 2048;
    private static final long ROW_PIECE = 8192;
    private static final long COLUMN_PIECE = 512;
    private static final long MOST_PIECES = 256;
    private static final int MOST_BLOCKS = 65_535;

    private final Map<DType, Map<DType, CudaKernel>> rows;
    private final KernelByDtype longRows;
    private final Map<DType, Map<DType, CudaKernel>> columns;
    private final DeviceScratch scratch;

    ReduceCuda(CudaKernels kernels) {
        rows = byDtypes(kernels, "reduce_rows");
        longRows = new KernelByDtype(kernels, "reduce_long_rows");
        columns = byDtypes(kernels, "reduce_columns");
        scratch = kernels.scratch();
    }

    /** By the dtype of x, then that of y. */
    private static Map<DType, Map<DType, CudaKernel>> byDtypes(CudaKernels kernels, String stem) {
        return Map.of(
                DType.F32,
                Map.of(DType.F32, kernels.get(stem + "_f32"), DType.BF16, kernels.get(stem + "_f32_bf16")),
                DType.BF16,
                Map.of(DType.F32, kernels.get(stem + "_bf16_f32"), DType.BF16, kernels.get(stem + "_bf16")));
    }

    @Override
    public boolean supports(Reduce.Args args) {
        return KernelByDtype.takes(args.x()) && KernelByDtype.takes(args.y());
    }

    /** Elements of x or y, or partial results, which are F32. */
    private record Place(long address, DType dtype) {
        static Place of(Tensor tensor) {
            return new Place(tensor.address(), tensor.dtype());
        }

        static Place partial(long address) {
            return new Place(address, DType.F32);
        }
    }

    @Override
    public void run(Reduce.Args args) {
        int kind = args.kind().ordinal();
        double scale = args.kind() == ReduceKind.MEAN ? 1.0 / args.reduced() : 1;
        Place x = Place.of(args.x());
        Place y = Place.of(args.y());
        if (args.y().elements() == 0) {
            return;
        }
        if (args.inner() != 1) {
            columns(x, y, kind, args.outer(), args.reduced(), args.inner(), scale);
        } else if (args.reduced() <= SHORT_ROW) {
            rows(x, y, kind, args.outer(), args.reduced(), scale);
        } else {
            longRows(args.x(), y, kind, args.outer(), args.reduced(), scale);
        }
    }

    private void rows(Place x, Place y, int kind, long count, long length, double scale) {
        long blocks = Math.min(Math.ceilDiv(count, BLOCK / 32), MOST_BLOCKS);
        rows.get(x.dtype)
                .get(y.dtype)
                .with()
                .i64(x.address)
                .i64(y.address)
                .i32(kind)
                .i64(count)
                .i64(length)
                .f32(scale)
                .run(blocks, 1, 1, BLOCK, 0);
    }

    private void longRows(Tensor x, Place y, int kind, long count, long length, double scale) {
        long pieces = Math.clamp(Math.ceilDiv(length, ROW_PIECE), 1, MOST_PIECES);
        long partial = scratch.bytes(count * pieces * Float.BYTES);
        longRows.with(x).tensor(x).i64(partial).i32(kind).i64(length).f32(1).run(count, pieces, 1, BLOCK, 0);
        rows(Place.partial(partial), y, kind, count, pieces, scale);
    }

    private void columns(Place x, Place y, int kind, long outer, long reduced, long inner, double scale) {
        long pieces = Math.clamp(Math.ceilDiv(reduced, COLUMN_PIECE), 1, MOST_PIECES);
        if (pieces == 1) {
            columns(x, y, kind, outer, reduced, inner, 1, scale);
            return;
        }
        Place partial = Place.partial(scratch.bytes(outer * pieces * inner * Float.BYTES));
        columns(x, partial, kind, outer, reduced, inner, pieces, 1);
        columns(partial, y, kind, 1, pieces, outer * inner, 1, scale);
    }

    private void columns(Place x, Place y, int kind, long outer, long reduced, long inner, long pieces, double scale) {
        columns.get(x.dtype)
                .get(y.dtype)
                .with()
                .i64(x.address)
                .i64(y.address)
                .i32(kind)
                .i64(outer)
                .i64(reduced)
                .i64(inner)
                .f32(scale)
                .run(Math.ceilDiv(inner, 32), Math.min(outer, MOST_BLOCKS), pieces, 32, 8, 0);
    }
}
