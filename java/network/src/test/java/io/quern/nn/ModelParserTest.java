package io.quern.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.op.ActivationKind;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ModelParserTest {
    @Test
    void readsLayersInTheirOrder() {
        assertEquals(
                Sequential.of(
                        new Convolution(32, 3),
                        new ActivationLayer(ActivationKind.RELU),
                        new MaxPooling(2),
                        new Flatten(),
                        new DenseLayer(128),
                        new ActivationLayer(ActivationKind.LEAKY_RELU),
                        new DropoutLayer(0.5),
                        new DenseLayer(10)),
                ModelParser.parse("conv(32,3) relu maxpool(2) flatten dense(128) leaky-relu dropout(0.5) dense(10)"));
    }

    @Test
    void blanksDoNotMatterAndOptionsComeInAnyOrder() {
        assertEquals(
                Sequential.of(new Convolution(8, 5, 2, Convolution.SAME, 3, 4, false, Initializer.HE_UNIFORM)),
                ModelParser.parse(
                        "  conv ( 8 , 5 , bias = false, init=he-uniform,groups=4,stride=2,dilation=3, padding=same )\n"));
    }

    static Stream<Layer> layers() {
        return Stream.of(
                new DenseLayer(7, false, Initializer.GLOROT_NORMAL),
                new Convolution(6, 3, 2, 1, 2, 3, false, Initializer.HE_UNIFORM),
                new Convolution(6, 3, 1, Convolution.SAME, 1, 1, true, null),
                new DepthwiseConvolution(3, 2, Convolution.SAME, 1, false, null),
                new DepthwiseConvolution(5, 1, 2, 2, true, Initializer.ZEROS),
                new MaxPooling(3, 2, 1),
                new AveragePooling(2),
                new AveragePooling(3, 1, 1),
                new GlobalAveragePooling(),
                new BatchNormLayer(0.01, 1e-3),
                new BatchNormLayer(),
                new LayerNormLayer(1e-6),
                new LayerNormLayer(),
                new DropoutLayer(0.123456789),
                new Flatten(),
                new Residual(ModelParser.parse("conv(4,3,padding=same) relu residual(conv(4,1))")),
                new Residual(
                        ModelParser.parse("conv(4,3,stride=2)"), ModelParser.parse("conv(4,1,stride=2) batchnorm")));
    }

    @ParameterizedTest
    @MethodSource("layers")
    void whatALayerDescribesIsReadBackAsAnEqualLayer(Layer layer) {
        assertEquals(Sequential.of(layer), ModelParser.parse(layer.describe()), layer.describe());
    }

    @Test
    void everyActivationHasItsWord() {
        for (ActivationKind kind : ActivationKind.values()) {
            if (kind != ActivationKind.NONE) {
                assertEquals(Sequential.of(new ActivationLayer(kind)), ModelParser.parse(kind.label()));
            }
        }
    }

    @Test
    void everyReadyMadeModelReadsBack() {
        for (String name : Models.NAMES) {
            Sequential model = Models.named(name, 10);
            assertEquals(model, ModelParser.parse(model.describe()), name);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "dense(3) rellu; position 10: unknown layer 'rellu'; did you mean 'relu'?",
                "convolution(3,3); position 1: unknown layer 'convolution'; known are dense, conv,",
                "drop-out(0.5); position 1: unknown layer 'drop-out'; did you mean 'dropout'?",
                "dense; position 1: dense needs its units, as in dense(units,...)",
                "conv(3); position 1: conv needs its kernel",
                "conv(3,3,4); position 1: conv takes 2 values without a name, not 3",
                "conv(3,3,strid=2); position 1: conv has no option 'strid'; it has stride, padding, dilation, groups",
                "conv(3,3,stride=2,stride=3); conv gives stride twice",
                "conv(3,3,stride=two); conv: stride is 'two', expected a whole number",
                "conv(3,4,padding=same); padding=same needs an odd kernel, not 4",
                "conv(3,3,padding=-1); conv: padding is '-1', expected a number from 0 on, or same",
                "conv(4,3,groups=3); 3 groups do not divide the 4 filters",
                "dense(0); dense needs at least 1 unit, not 0",
                "dense(3,bias=no); dense: bias is 'no', expected true or false",
                "dense(3,init=xavier); dense: init is 'xavier', known are [zeros, ones, he-normal",
                "dropout(1.5); dropout probability is 1.5",
                "relu(3); relu takes 0 values without a name, not 1",
                "relu(x=3); relu has no option 'x'",
                "dense(3,); dense has an empty value",
                "dense(3; position 6: '(' is not closed",
                "dense(3)); position 9: unexpected ')'",
                "residual(relu; position 14: expected ')' before the end",
                "residual(); position 10: expected a layer",
                "residual relu; position 10: expected '(', found 'r'",
                "residual(relu | ); position 17: expected a layer",
                "dense(3) , relu; position 10: expected the name of a layer, found ','"
            })
    void saysWhereAndWhat(String text, String expected) {
        String message = assertThrows(ArgumentException.class, () -> ModelParser.parse(text))
                .getMessage();
        assertTrue(message.contains(expected), message);
    }

    @Test
    void emptyModelsAndBottomlessOnesAreRefused() {
        assertTrue(assertThrows(ArgumentException.class, () -> ModelParser.parse("  "))
                .getMessage()
                .contains("expected a layer"));
        String deep = "residual(".repeat(10_000);
        assertTrue(assertThrows(ArgumentException.class, () -> ModelParser.parse(deep))
                .getMessage()
                .contains("nested deeper than 16"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "dense(10); layer 1, dense(10), does not fit its input of 28x28x1 per sample: dense takes a vector; put flatten",
                "flatten conv(3,3); layer 2, conv(3,3), does not fit its input of 784 per sample: conv takes an image",
                "maxpool(2) maxpool(2) maxpool(8); layer 3, maxpool(8), does not fit its input of 7x7x1",
                "conv(4,31); layer 1, conv(4,31), does not fit its input of 28x28x1 per sample: the filter is larger",
                "conv(6,3) conv(4,3,groups=4); layer 2, conv(4,3,groups=4), does not fit its input of 26x26x6 per sample: 4 groups do not divide the 6 channels",
                "relu residual(conv(4,3)); the body gives 26x26x4 but the shortcut 28x28x1; add a projection",
                "residual(flatten conv(1,1)); layer 1, residual(flatten conv(1,1)), does not fit its input of 28x28x1 per sample: layer 2, conv(1,1)"
            })
    void aLayerThatDoesNotFitIsNamedWithItsInput(String text, String expected) {
        String message = assertThrows(
                        ArgumentException.class,
                        () -> Network.build(ModelParser.parse(text), Shape.of(28, 28, 1), Rng.of(1))
                                .close())
                .getMessage();
        assertTrue(message.contains(expected), message);
    }

    @Test
    void theNearestWordHasTheFewestEdits() {
        assertEquals(3, Nearest.edits("kitten", "sitting"));
        assertEquals(0, Nearest.edits("relu", "relu"));
        assertEquals(4, Nearest.edits("", "relu"));
        assertEquals(
                "relu", Nearest.to("rellu", List.of("gelu", "relu", "silu")).orElseThrow());
        assertTrue(Nearest.to("transformer", ModelParser.knownLayers()).isEmpty());
    }
}
