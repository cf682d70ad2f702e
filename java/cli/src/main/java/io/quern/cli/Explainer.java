package io.quern.cli;

import io.quern.explain.Attribution;
import io.quern.explain.Baselines;
import io.quern.explain.IntegratedGradients;
import io.quern.explain.Saliency;
import io.quern.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * A way to explain, as the options name it.
 *
 * @param steps of integrated gradients
 * @param baseline of integrated gradients: black or mean
 */
record Explainer(String method, int steps, String baseline) {
    private static final String INTEGRATED = "integrated-gradients";
    private static final String SALIENCY = "saliency";

    static Explainer of(String method, int steps, String baseline) {
        if (!method.equals(INTEGRATED) && !method.equals(SALIENCY)) {
            throw new UsageException("--method " + method + " is unknown; known are " + INTEGRATED + ", " + SALIENCY);
        }
        if (!baseline.equals("black") && !baseline.equals("mean")) {
            throw new UsageException("--baseline " + baseline + " is unknown; known are black, mean");
        }
        if (steps < 1) {
            throw new UsageException("--steps is " + steps + ", expected 1 or more");
        }
        return new Explainer(method, steps, baseline);
    }

    /** @param input normalized */
    Explanation explain(TrainedRun run, float[] input, int target) {
        if (method.equals(SALIENCY)) {
            return new Explanation(this, new Saliency(run.network(), run.backend()).explain(input, target));
        }
        Shape shape = run.config().inputShape();
        float[] from = baseline.equals("black")
                ? Baselines.black(shape, run.config().normalization())
                : Baselines.zeros(shape);
        IntegratedGradients gradients = new IntegratedGradients(run.network(), run.backend(), steps);
        return new Explanation(this, gradients.explain(input, from, target));
    }

    /** An explanation of one image. */
    record Explanation(Explainer explainer, Attribution attribution) {
        /** The method in words. */
        String description() {
            return explainer.method.equals(SALIENCY)
                    ? "Saliency: the gradient of the class score by each pixel"
                    : "Integrated gradients against " + (explainer.baseline.equals("black") ? "a black" : "the mean")
                            + " image, " + explainer.steps + " steps: the pixels share out the difference in score";
        }

        /** The sum over the channels of each pixel. */
        float[] perPixel() {
            int channels = attribution.shape().dim(2);
            float[] sums = new float[attribution.values().length / channels];
            for (int i = 0; i < attribution.values().length; i++) {
                sums[i / channels] += (float) attribution.values()[i];
            }
            return sums;
        }

        /** Names and values: scores and the completeness residual. */
        Map<String, String> lines(String target) {
            Map<String, String> lines = new LinkedHashMap<>();
            lines.put("target", target);
            lines.put("score", number(attribution.output()));
            if (Double.isNaN(attribution.baselineOutput())) {
                lines.put("completeness residual", "not defined for saliency, which shares nothing out");
                return lines;
            }
            lines.put("baseline score", number(attribution.baselineOutput()));
            lines.put("sum of parts", number(attribution.sum()));
            lines.put(
                    "completeness residual",
                    String.format(
                            Locale.ROOT,
                            "%.3g absolute, %.3g %% relative",
                            attribution.residual(),
                            100 * attribution.relativeResidual()));
            return lines;
        }

        private static String number(double value) {
            return String.format(Locale.ROOT, "%.4f", value);
        }
    }
}
