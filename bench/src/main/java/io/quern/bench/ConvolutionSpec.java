package io.quern.bench;

import io.quern.op.Conv2dGeometry;
import io.quern.tensor.Shape;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A convolution written as {@code n16h56w56c64k64r3s3u1p1}, optionally with dilation {@code d} and groups {@code g}. */
public record ConvolutionSpec(Shape image, Shape filter, Conv2dGeometry geometry) {
    private static final Pattern TEXT =
            Pattern.compile("n(\\d+)h(\\d+)w(\\d+)c(\\d+)k(\\d+)r(\\d+)s(\\d+)u(\\d+)p(\\d+)(?:d(\\d+))?(?:g(\\d+))?");

    public static ConvolutionSpec parse(String text) {
        Matcher m = TEXT.matcher(text);
        if (!m.matches()) {
            throw new IllegalArgumentException("conv is " + text + ", expected for example n16h56w56c64k64r3s3u1p1");
        }
        int[] v = new int[12];
        for (int i = 1; i <= 11; i++) {
            v[i] = m.group(i) == null ? 1 : Integer.parseInt(m.group(i));
        }
        return new ConvolutionSpec(
                Shape.of(v[1], v[2], v[3], v[4]),
                Shape.of(v[6], v[7], v[4] / v[11], v[5]),
                new Conv2dGeometry(v[8], v[8], v[9], v[9], v[10], v[10], v[11]));
    }

    public Shape result() {
        return geometry.resultShape(image, filter);
    }

    /** Operations of any of the three passes, computed directly. */
    double flops() {
        return 2.0 * result().elements() * filter.size(0) * filter.size(1) * filter.size(2);
    }
}
