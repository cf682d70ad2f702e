package io.quern.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.data.Loader;
import io.quern.nn.ModelParser;
import io.quern.nn.Network;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** From data to a classifier that has learned what a linear one cannot. */
class TwoMoonsTest {
    @ParameterizedTest
    @CsvSource({"auto,AdamW", "auto,Sgd", "reference,AdamW"})
    void aSmallPerceptronSeparatesTheMoons(String backendName, String optimizerName) {
        Optimizer optimizer = optimizerName.equals("AdamW") ? new AdamW() : new Sgd(0.9);
        double rate = optimizerName.equals("AdamW") ? 0.05 : 0.1;
        TrainingOptions options = TrainingOptions.of(20, new CrossEntropyLoss(), optimizer, new OneCycle(rate))
                .withSeed(3);
        try (Backend backend = Backends.of(backendName, 2);
                Network network = Network.build(ModelParser.parse("dense(32) relu dense(2)"), Shape.of(2), Rng.of(3));
                Trainer trainer = new Trainer(network, backend, options);
                Evaluator evaluator = new Evaluator(network, backend, options.loss())) {
            TrainingResult result = trainer.fit(Loader.shuffled(ToyData.twoMoons(400, 1), 32, 3));
            Evaluation test = evaluator.evaluate(Loader.inOrder(ToyData.twoMoons(200, 2), 64));

            assertEquals(TrainingResult.End.FINISHED, result.end());
            assertEquals(20 * 13, result.steps());
            assertEquals(200, test.samples());
            assertTrue(test.accuracy() > 0.95, () -> "accuracy " + test.accuracy());
            assertTrue(test.auroc() > 0.99, () -> "auroc " + test.auroc());
            assertTrue(result.epochs().getLast().loss() < 0.1, () -> "" + result.epochs());
        }
    }
}
