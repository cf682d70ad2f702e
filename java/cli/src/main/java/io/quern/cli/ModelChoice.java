package io.quern.cli;

import io.quern.data.Dataset;
import io.quern.nn.DropoutLayer;
import io.quern.nn.Layer;
import io.quern.nn.ModelParser;
import io.quern.nn.Models;
import io.quern.nn.Network;
import io.quern.nn.Sequential;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What {@code --model} and {@code --dropout} mean for a data set. Whatever does not fit is wrong usage. */
final class ModelChoice {
    private static final int LONGEST_SHOWN = 200;

    private ModelChoice() {}

    /** Checks what can be checked before the data are there. */
    static void check(TrainOptions.Model options) {
        parse(options, 2);
    }

    static Sequential of(TrainOptions.Model options, Dataset data) {
        Sequential model = parse(options, data.classes());
        requireClasses(model, data);
        return model;
    }

    private static Sequential parse(TrainOptions.Model options, int classes) {
        boolean named = Models.NAMES.contains(options.text);
        try {
            Sequential model = named ? Models.named(options.text, classes) : ModelParser.parse(options.text);
            return options.dropout == null ? model : withDropout(model, new DropoutLayer(options.dropout));
        } catch (ArgumentException e) {
            boolean oneWord = options.text.matches("\\w+");
            throw new UsageException(
                    "--model: " + e.getMessage()
                            + (oneWord ? "; known models are " + String.join(", ", Models.NAMES) : ""),
                    e);
        }
    }

    /** Its own dropout layers changed, or one before the last layer. */
    private static Sequential withDropout(Sequential model, DropoutLayer dropout) {
        List<Layer> layers = new ArrayList<>(model.layers());
        if (layers.stream().anyMatch(DropoutLayer.class::isInstance)) {
            layers.replaceAll(layer -> layer instanceof DropoutLayer ? dropout : layer);
        } else {
            layers.add(layers.size() - 1, dropout);
        }
        return new Sequential(layers);
    }

    /** For example {@code mlp, 235,146 parameters: flatten dense(256) ...}; a long model only by its number of layers. */
    static String summary(TrainOptions.Model options, Network network) {
        String name = Models.NAMES.contains(options.text) ? options.text + ", " : "";
        String layers = network.describe();
        return String.format(
                Locale.ROOT,
                "%s%,d parameters%s",
                name,
                network.parameterCount(),
                layers.length() <= LONGEST_SHOWN
                        ? ": " + layers
                        : ", " + network.model().layers().size() + " layers; report.html lists them");
    }

    private static void requireClasses(Sequential model, Dataset data) {
        Shape output;
        try {
            output = model.outputShape(data.sampleShape());
        } catch (ArgumentException e) {
            throw new UsageException(
                    "--model does not fit samples of " + data.sampleShape() + ": " + e.getMessage()
                            + "; change that layer or choose other data",
                    e);
        }
        if (!output.equals(Shape.of(data.classes()))) {
            throw new UsageException("--model gives " + output + " values per sample, but the data have "
                    + data.classes() + " classes; end it with dense(" + data.classes() + ")");
        }
    }
}
