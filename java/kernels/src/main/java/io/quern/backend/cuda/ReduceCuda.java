package io.quern.backend.cuda;

import io.quern.backend.Kernel;
import io.quern.op.Reduce;
import io.quern.op.ReduceKind;

/**
 * reduce.cu: short rows at once; long ones and columns in pieces, whose results are reduced in a second launch. How many
 * pieces depends on the shape alone.
 */
final class ReduceCuda implements Kernel<Reduce.Args> {
    private static final int BLOCK = 256;
    private static final long SHORT_ROW = 2048;
    private static final long ROW_PIECE = 8192;
    private static final long COLUMN_PIECE = 256;
    private static final long MOST_PIECES = 256;
    private static final int MOST_BLOCKS = 65_535;

    private final CudaKernel rows;
    private final CudaKernel longRows;
    private final CudaKernel columns;
    private final DeviceScratch scratch;

    ReduceCuda(CudaKernels kernels) {
        rows = kernels.get("reduce_rows_f32");
        longRows = kernels.get("reduce_long_rows_f32");
        columns = kernels.get("reduce_columns_f32");
        scratch = kernels.scratch();
    }

    @Override
    public boolean supports(Reduce.Args args) {
        return Contiguous.floats(args.x(), args.y());
    }

    @Override
    public void run(Reduce.Args args) {
        int kind = args.kind().ordinal();
        double scale = args.kind() == ReduceKind.MEAN ? 1.0 / args.reduced() : 1;
        long x = args.x().address();
        long y = args.y().address();
        if (args.y().elements() == 0) {
            return;
        }
        if (args.inner() != 1) {
            columns(x, y, kind, args.outer(), args.reduced(), args.inner(), scale);
        } else if (args.reduced() <= SHORT_ROW) {
            rows(x, y, kind, args.outer(), args.reduced(), scale);
        } else {
            longRows(x, y, kind, args.outer(), args.reduced(), scale);
        }
    }

    private void rows(long x, long y, int kind, long count, long length, double scale) {
        long blocks = Math.min(Math.ceilDiv(count, BLOCK / 32), MOST_BLOCKS);
        rows.with().i64(x).i64(y).i32(kind).i64(count).i64(length).f32(scale).run(blocks, 1, 1, BLOCK, 0);
    }

    private void longRows(long x, long y, int kind, long count, long length, double scale) {
        long pieces = Math.clamp(Math.ceilDiv(length, ROW_PIECE), 1, MOST_PIECES);
        long partial = scratch.bytes(count * pieces * Float.BYTES);
        longRows.with().i64(x).i64(partial).i32(kind).i64(length).f32(1).run(count, pieces, 1, BLOCK, 0);
        rows(partial, y, kind, count, pieces, scale);
    }

    private void columns(long x, long y, int kind, long outer, long reduced, long inner, double scale) {
        long pieces = Math.clamp(Math.ceilDiv(reduced, COLUMN_PIECE), 1, MOST_PIECES);
        if (pieces == 1) {
            columns(x, y, kind, outer, reduced, inner, 1, scale);
            return;
        }
        long partial = scratch.bytes(outer * pieces * inner * Float.BYTES);
        columns(x, partial, kind, outer, reduced, inner, pieces, 1);
        columns(partial, y, kind, 1, pieces, outer * inner, 1, scale);
    }

    private void columns(long x, long y, int kind, long outer, long reduced, long inner, long pieces, double scale) {
        columns.with()
                .i64(x)
                .i64(y)
                .i32(kind)
                .i64(outer)
                .i64(reduced)
                .i64(inner)
                .f32(scale)
                .run(Math.ceilDiv(inner, 32), Math.min(outer, MOST_BLOCKS), pieces, 32, 8, 0);
    }
}
