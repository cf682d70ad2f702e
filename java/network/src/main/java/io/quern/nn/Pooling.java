package io.quern.nn;

import io.quern.op.PoolGeometry;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;

/** What the pooling layers share. */
final class Pooling {
    private Pooling() {}

    static PoolGeometry geometry(int window, int stride, int padding) {
        return PoolGeometry.of(window, stride).withPadding(padding);
    }

    static String describe(String kind, int window, int stride, int padding) {
        return Description.of(kind, window)
                .option("stride", stride, window)
                .option("padding", padding, 0)
                .toString();
    }

    static Shape outputShape(Shape input, String kind, int window, int stride, int padding) {
        Images.require(input, kind);
        long h = input.size(0) + 2L * padding - window;
        long w = input.size(1) + 2L * padding - window;
        if (h < 0 || w < 0) {
            throw new ArgumentException("the window is larger than the image; pool less in front");
        }
        return Shape.of(h / stride + 1, w / stride + 1, input.size(2));
    }
}
