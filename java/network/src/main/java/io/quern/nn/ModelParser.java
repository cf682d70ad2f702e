package io.quern.nn;

import io.quern.op.ActivationKind;
import io.quern.tensor.ArgumentException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Reads models written as layers one after another, for example
 * {@code conv(32,3) relu maxpool(2) flatten dense(128) relu dropout(0.5) dense(10)}.
 *
 * <p>A layer is a word, its values and options in parentheses; {@code residual(body | shortcut)} holds layers. What
 * {@link Layer#describe} writes is read back as an equal layer.
 */
public final class ModelParser {
    private static final Map<String, Function<LayerArguments, Layer>> LAYERS = layers();
    private static final String RESIDUAL = "residual";
    private static final int MAX_DEPTH = 16;

    private final String text;
    private int position;
    private int depth;

    private ModelParser(String text) {
        this.text = text;
    }

    /**
     * @throws ArgumentException naming the position and what is wrong there
     */
    public static Sequential parse(String text) {
        ModelParser parser = new ModelParser(text);
        Sequential model = parser.sequence();
        if (parser.position < text.length()) {
            throw parser.error(parser.position, "unexpected '" + text.charAt(parser.position) + "'");
        }
        return model;
    }

    /** Every word that starts a layer. */
    public static List<String> knownLayers() {
        List<String> names = new ArrayList<>(LAYERS.keySet());
        names.add(RESIDUAL);
        return names;
    }

    private static Map<String, Function<LayerArguments, Layer>> layers() {
        Map<String, Function<LayerArguments, Layer>> layers = new LinkedHashMap<>();
        layers.put("dense", a -> new DenseLayer(a.integer(0, "units"), a.flag("bias", true), a.initializer()));
        layers.put(
                "conv",
                a -> new Convolution(
                        a.integer(0, "filters"),
                        a.integer(1, "kernel"),
                        a.integer("stride", 1),
                        a.padding(),
                        a.integer("dilation", 1),
                        a.integer("groups", 1),
                        a.flag("bias", true),
                        a.initializer()));
        layers.put(
                "depthwise",
                a -> new DepthwiseConvolution(
                        a.integer(0, "kernel"),
                        a.integer("stride", 1),
                        a.padding(),
                        a.integer("dilation", 1),
                        a.flag("bias", true),
                        a.initializer()));
        layers.put("maxpool", a -> {
            int window = a.integer(0, "window");
            return new MaxPooling(window, a.integer("stride", window), a.integer("padding", 0));
        });
        layers.put("avgpool", a -> {
            int window = a.integer(0, "window");
            return new AveragePooling(window, a.integer("stride", window), a.integer("padding", 0));
        });
        layers.put("globalavgpool", a -> new GlobalAveragePooling());
        layers.put("flatten", a -> new Flatten());
        layers.put("dropout", a -> new DropoutLayer(a.number(0, "probability")));
        BatchNormLayer batchNorm = new BatchNormLayer();
        layers.put(
                "batchnorm",
                a -> new BatchNormLayer(
                        a.number("momentum", batchNorm.momentum()), a.number("epsilon", batchNorm.epsilon())));
        layers.put("layernorm", a -> new LayerNormLayer(a.number("epsilon", new LayerNormLayer().epsilon())));
        for (ActivationKind kind : ActivationKind.values()) {
            if (kind != ActivationKind.NONE) {
                layers.put(kind.label(), a -> new ActivationLayer(kind));
            }
        }
        return layers;
    }

    /** Layers up to the end of the text, a bar or a closing parenthesis. */
    private Sequential sequence() {
        List<Layer> layers = new ArrayList<>();
        while (!atEnd() && peek() != ')' && peek() != '|') {
            layers.add(layer());
        }
        if (layers.isEmpty()) {
            throw error(position, "expected a layer");
        }
        return new Sequential(layers);
    }

    private Layer layer() {
        int start = position;
        String name = word();
        if (name.equals(RESIDUAL)) {
            return residual();
        }
        Function<LayerArguments, Layer> maker = LAYERS.get(name);
        if (maker == null) {
            throw error(
                    start,
                    "unknown layer '" + name + "'"
                            + Nearest.to(name, knownLayers())
                                    .map(n -> "; did you mean '" + n + "'?")
                                    .orElse("; known are " + String.join(", ", knownLayers())));
        }
        LayerArguments arguments = new LayerArguments(name, !atEnd() && peek() == '(' ? arguments() : "");
        try {
            Layer layer = maker.apply(arguments);
            arguments.requireAllUsed();
            return layer;
        } catch (ArgumentException e) {
            throw error(start, e.getMessage());
        }
    }

    private Layer residual() {
        if (++depth > MAX_DEPTH) {
            throw error(position, "residual layers are nested deeper than " + MAX_DEPTH);
        }
        expect('(');
        Sequential body = sequence();
        Optional<Sequential> shortcut = Optional.empty();
        if (!atEnd() && peek() == '|') {
            position++;
            shortcut = Optional.of(sequence());
        }
        expect(')');
        depth--;
        return new Residual(body, shortcut);
    }

    private String word() {
        int start = position;
        while (position < text.length() && isWord(text.charAt(position))) {
            position++;
        }
        if (position == start) {
            throw error(start, "expected the name of a layer, found '" + text.charAt(start) + "'");
        }
        return text.substring(start, position);
    }

    private static boolean isWord(char c) {
        return Character.isLetterOrDigit(c) || c == '-' || c == '_';
    }

    /** The text between parentheses. */
    private String arguments() {
        int open = position;
        int close = text.indexOf(')', open);
        if (close < 0) {
            throw error(open, "'(' is not closed");
        }
        position = close + 1;
        return text.substring(open + 1, close);
    }

    private void expect(char c) {
        if (atEnd() || peek() != c) {
            throw error(position, "expected '" + c + "'" + (atEnd() ? " before the end" : ", found '" + peek() + "'"));
        }
        position++;
    }

    private boolean atEnd() {
        while (position < text.length() && Character.isWhitespace(text.charAt(position))) {
            position++;
        }
        return position == text.length();
    }

    private char peek() {
        return text.charAt(position);
    }

    private ArgumentException error(int at, String problem) {
        return new ArgumentException("model \"" + text + "\", position " + (at + 1) + ": " + problem);
    }
}
