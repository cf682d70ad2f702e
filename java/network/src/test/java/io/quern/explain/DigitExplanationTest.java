package io.quern.explain;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.data.Dataset;
import io.quern.data.Loader;
import io.quern.data.Normalization;
import io.quern.data.PublicData;
import io.quern.data.Split;
import io.quern.data.Subset;
import io.quern.nn.Models;
import io.quern.nn.Network;
import io.quern.tensor.Rng;
import io.quern.train.AdamW;
import io.quern.train.CrossEntropyLoss;
import io.quern.train.OneCycle;
import io.quern.train.Trainer;
import io.quern.train.TrainingOptions;
import io.quern.train.Weights;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/**
 * Integrated gradients on a network that reads MNIST, where the data are at hand. {@code -Dquern.model=FILE} takes a
 * trained network instead of training one for an epoch.
 */
class DigitExplanationTest {
    private static final int IMAGES = 100;
    private static final int STEPS = 64;

    @Test
    void theResidualOfEveryTestImageIsBelowOnePercent() {
        String directory = System.getProperty("quern.data", System.getenv("QUERN_DATA"));
        Assumptions.assumeTrue(
                directory != null && !directory.isBlank(),
                "no real data here: set QUERN_DATA or -Dquern.data to a directory that has them");
        Split raw =
                PublicData.of(Path.of(directory), PublicData.defaultCache(), 2).mnist(0, 1);
        Normalization normalization = Normalization.learn(raw.train(), 2);
        Split data = raw.normalized(normalization);
        try (Backend backend = Backends.best(2);
                Network network = network(data, backend)) {
            IntegratedGradients explainer = new IntegratedGradients(network, backend, STEPS);
            float[] black = Baselines.black(data.test().sampleShape(), normalization);
            double worst = 0;
            double sum = 0;
            for (int i = 0; i < IMAGES; i++) {
                float[] image = new float[data.test().sampleLength()];
                data.test().read(i, image, 0);
                double residual =
                        explainer.explain(image, black, data.test().label(i)).relativeResidual();
                worst = Math.max(worst, residual);
                sum += residual;
            }
            System.out.printf(
                    "integrated gradients: %d MNIST test images, %d steps, relative residual %.3f %% on average, %.3f %% at most%n",
                    IMAGES, STEPS, 100 * sum / IMAGES, 100 * worst);
            assertTrue(worst < 0.01, "relative residual " + worst);
        }
    }

    private static Network network(Split data, Backend backend) {
        String file = System.getProperty("quern.model", "");
        if (!file.isEmpty()) {
            return Weights.open(Path.of(file));
        }
        Dataset some = Subset.first(data.train(), 20_000);
        Network network = Network.build(Models.named("cnn", 10), some.sampleShape(), Rng.of(1));
        TrainingOptions options = TrainingOptions.of(1, new CrossEntropyLoss(), new AdamW(), new OneCycle(0.003))
                .withSeed(1);
        try (Trainer trainer = new Trainer(network, backend, options)) {
            trainer.fit(Loader.shuffled(some, 64, 1));
        }
        return network;
    }
}
