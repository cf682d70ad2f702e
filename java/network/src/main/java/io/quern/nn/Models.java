package io.quern.nn;

import io.quern.tensor.ArgumentException;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Ready-made models, all ending in one logit per class. */
public final class Models {
    /** What {@link #named} knows. */
    public static final List<String> NAMES = List.of("cnn", "lenet", "mlp", "resnet20");

    private Models() {}

    /** A model by name. */
    public static Sequential named(String name, int classes) {
        return switch (name) {
            case "cnn" -> cnn(classes);
            case "lenet" -> lenet(classes);
            case "mlp" -> mlp(classes, 256, 128);
            case "resnet20" -> resnet20(classes);
            default ->
                throw new ArgumentException("no model '" + name + "'; there are " + NAMES
                        + ", or write one like \"flatten dense(128) relu dense(" + classes + ")\"");
        };
    }

    /** Two convolutions with pooling, a hidden layer with dropout: the default for 28x28 images. */
    public static Sequential cnn(int classes) {
        return ModelParser.parse("conv(16,3,padding=same) relu maxpool(2) conv(32,3,padding=same) relu maxpool(2) "
                + "flatten dense(128) relu dropout(0.5) dense(" + classes + ")");
    }

    /**
     * LeNet-5 with rectifiers and maximum pooling, for 28x28 images. LeCun et al., "Gradient-based learning applied to
     * document recognition", 1998.
     */
    public static Sequential lenet(int classes) {
        return ModelParser.parse("conv(6,5,padding=2) relu maxpool(2) conv(16,5) relu maxpool(2) "
                + "flatten dense(120) relu dense(84) relu dense(" + classes + ")");
    }

    /** Dense layers of the given widths with rectifiers, for samples of any shape. */
    public static Sequential mlp(int classes, int... hidden) {
        String layers = IntStream.of(hidden)
                .mapToObj(units -> "dense(" + units + ") relu ")
                .collect(Collectors.joining());
        return ModelParser.parse("flatten " + layers + "dense(" + classes + ")");
    }

    /**
     * The 20-layer residual network for 32x32 images of He et al., "Deep residual learning", section 4.2, with
     * projections (option B) where the extents change; the paper pads with zeros there.
     */
    public static Sequential resnet20(int classes) {
        StringBuilder text = new StringBuilder(normalized(16, 3, 1)).append(" relu ");
        int channels = 16;
        for (int width : new int[] {16, 32, 64}) {
            for (int block = 0; block < 3; block++) {
                int stride = width == channels ? 1 : 2;
                text.append("residual(")
                        .append(normalized(width, 3, stride))
                        .append(" relu ")
                        .append(normalized(width, 3, 1))
                        .append(width == channels ? "" : " | " + normalized(width, 1, stride))
                        .append(") relu ");
                channels = width;
            }
        }
        return ModelParser.parse(text + "globalavgpool dense(" + classes + ")");
    }

    private static String normalized(int filters, int kernel, int stride) {
        return "conv(" + filters + "," + kernel + ",stride=" + stride + ",padding=same,bias=false) batchnorm";
    }
}
