package io.quern.train;

import io.quern.tensor.BFloat16;
import io.quern.tensor.DType;
import io.quern.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Elements of host tensors as little-endian bytes, in row-major order. */
final class TensorBytes {
    /** Takes the bytes between position and limit. */
    @FunctionalInterface
    interface Sink {
        void accept(ByteBuffer chunk) throws IOException;
    }

    private TensorBytes() {}

    /** Passes all bytes of a tensor, one buffer full after the other. */
    static void forEachChunk(Tensor tensor, ByteBuffer buffer, Sink sink) throws IOException {
        int step = buffer.capacity() / tensor.dtype().bytes();
        Tensor flat = tensor.isContiguous() ? tensor.reshape(tensor.elements()) : null;
        for (long from = 0; from < tensor.elements(); from += step) {
            int count = (int) Math.min(step, tensor.elements() - from);
            buffer.clear();
            if (flat != null && tensor.dtype() == DType.F32) {
                buffer.asFloatBuffer().put(flat.slice(0, from, from + count).toFloats());
                buffer.position(count * Float.BYTES);
            } else {
                for (long i = from; i < from + count; i++) {
                    put(buffer, tensor.dtype(), tensor.get(i));
                }
            }
            sink.accept(buffer.flip());
        }
    }

    private static void put(ByteBuffer buffer, DType dtype, double value) {
        switch (dtype) {
            case F32 -> buffer.putFloat((float) value);
            case F64 -> buffer.putDouble(value);
            case I32 -> buffer.putInt((int) value);
            case BF16 -> buffer.putShort(BFloat16.fromFloat((float) value));
        }
    }

    /**
     * Sets elements from..from+count of a tensor.
     *
     * @param flat the tensor as a vector if it is contiguous, else null
     */
    static void take(ByteBuffer chunk, DType stored, Tensor target, Tensor flat, long from, int count) {
        if (stored == DType.F32 && flat != null) {
            float[] values = new float[count];
            chunk.asFloatBuffer().get(values);
            flat.slice(0, from, from + count).copyFrom(values);
            return;
        }
        for (long i = from; i < from + count; i++) {
            target.set(i, get(chunk, stored));
        }
    }

    private static double get(ByteBuffer chunk, DType dtype) {
        return switch (dtype) {
            case F32 -> chunk.getFloat();
            case F64 -> chunk.getDouble();
            case I32 -> chunk.getInt();
            case BF16 -> Float.intBitsToFloat(chunk.getShort() << 16);
        };
    }
}
