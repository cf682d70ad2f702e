package io.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RecipeTest {
    @ParameterizedTest
    @CsvSource({"strokes, cnn", "mnist, cnn", "cifar10, resnet20", "csv:x.csv, mlp", "images:photos, cnn"})
    void theDefaultModelIsThatOfTheData(String data, String model) {
        assertEquals(model, Recipe.of(Map.of("--data", data)).texts().get("--model"));
        assertEquals(
                model,
                Recipe.of(Map.of("--data", data, "--model", "default")).texts().get("--model"));
    }

    @Test
    void whatIsGivenWinsOverDefaults() {
        Recipe recipe = Recipe.of(Map.of("--epochs", "7", "--lr", "0.0300"));
        assertEquals(7, recipe.options().fit().epochs);
        assertEquals("0.03", recipe.texts().get("--lr"), "in one way of writing");
    }

    @Test
    void sgdHasALargerDefaultRateThanAdamw() {
        double adamw = Recipe.of(Map.of()).options().fit().rate;
        double sgd = Recipe.of(Map.of("--optimizer", "sgd")).options().fit().rate;
        assertEquals(true, sgd > adamw);
    }

    @Test
    void aResumedRecipeIsTheStoredOne() {
        Recipe first = Recipe.of(Map.of("--model", "flatten dense(10)", "--augment", "true"));
        assertEquals(first.texts(), Recipe.resumed(first.texts(), Map.of()).texts());
        assertFalse(first.texts().containsKey("--dropout"), "the model's own");
    }
}
