package io.quern.explain;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The trapezoidal rule on parts of unequal length: the parts where the output changes by other than what the gradients at
 * their ends say are halved until the number of gradients is used up.
 *
 * <p>On a network of rectifiers the gradient is constant but for some jumps, so that nearly all parts are exact and the
 * gradients gather around the jumps.
 */
final class AdaptivePath {
    /** Parts of less than this share of the change are not worth halving: rounding in single precision. */
    private static final double NEGLIGIBLE = 1e-7;

    private final InputGradient gradient;
    private final float[] baseline;
    private final float[] input;
    private final int target;
    private final int batch;

    /** @param slope derivative of the output along the way */
    private record Node(double place, double output, float[] gradient, double slope) {}

    /** @param miss change of the output less what the trapezoid says */
    private record Part(Node from, Node to, double miss) {
        static Part of(Node from, Node to) {
            double predicted = (to.place - from.place) * (from.slope + to.slope) / 2;
            return new Part(from, to, to.output - from.output - predicted);
        }

        double middle() {
            return (from.place + to.place) / 2;
        }
    }

    AdaptivePath(InputGradient gradient, float[] baseline, float[] input, int target, int batch) {
        this.gradient = gradient;
        this.baseline = baseline;
        this.input = input;
        this.target = target;
        this.batch = batch;
    }

    /** @param steps gradients to use at most, at least 2 */
    Attribution explain(int steps) {
        int first = Math.max(2, steps / 4 + 1);
        double[] places = new double[first];
        for (int i = 0; i < first; i++) {
            places[i] = (double) i / (first - 1);
        }
        List<Node> nodes = new ArrayList<>(nodes(places));
        List<Part> parts = parts(nodes);
        double change = Math.abs(nodes.getLast().output - nodes.getFirst().output);
        while (nodes.size() < steps) {
            double[] halved = parts.stream()
                    .filter(part -> Math.abs(part.miss) > NEGLIGIBLE * change)
                    .sorted(Comparator.comparingDouble(part -> -Math.abs(part.miss)))
                    .limit(Math.min(first - 1, steps - nodes.size()))
                    .mapToDouble(Part::middle)
                    .toArray();
            if (halved.length == 0) {
                break;
            }
            nodes.addAll(nodes(halved));
            nodes.sort(Comparator.comparingDouble(Node::place));
            parts = parts(nodes);
        }
        return attribution(parts, nodes.getFirst().output, nodes.getLast().output);
    }

    private static List<Part> parts(List<Node> nodes) {
        List<Part> parts = new ArrayList<>();
        for (int i = 1; i < nodes.size(); i++) {
            parts.add(Part.of(nodes.get(i - 1), nodes.get(i)));
        }
        return parts;
    }

    private List<Node> nodes(double[] places) {
        List<Node> nodes = new ArrayList<>();
        for (int from = 0; from < places.length; from += batch) {
            float[][] points = new float[Math.min(batch, places.length - from)][];
            for (int k = 0; k < points.length; k++) {
                points[k] = InputGradient.between(baseline, input, places[from + k]);
            }
            InputGradient.Result result = gradient.of(points, target, true);
            for (int k = 0; k < points.length; k++) {
                float[] g = result.gradients()[k];
                double slope = 0;
                for (int i = 0; i < g.length; i++) {
                    slope += ((double) input[i] - baseline[i]) * g[i];
                }
                nodes.add(new Node(places[from + k], result.outputs()[k], g, slope));
            }
        }
        return nodes;
    }

    private Attribution attribution(List<Part> parts, double atBaseline, double atInput) {
        double[] values = new double[input.length];
        for (Part part : parts) {
            double half = (part.to.place - part.from.place) / 2;
            for (int i = 0; i < values.length; i++) {
                values[i] += half * ((double) part.from.gradient[i] + part.to.gradient[i]);
            }
        }
        for (int i = 0; i < values.length; i++) {
            values[i] *= (double) input[i] - baseline[i];
        }
        return new Attribution(values, gradient.inputShape(), target, atInput, atBaseline);
    }
}
