package io.quern.train;

import io.quern.tensor.ArgumentException;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Area under the receiver operating characteristic: the probability that a positive sample scores higher than a negative
 * one, ties counting one half. Hanley, McNeil, "The meaning and use of the area under a ROC curve", 1982.
 */
public final class Auroc {
    private Auroc() {}

    /** NaN when one of the two classes is empty or a score is NaN. */
    public static double binary(double[] scores, boolean[] positive) {
        if (scores.length != positive.length) {
            throw new ArgumentException(scores.length + " scores for " + positive.length + " labels");
        }
        if (Arrays.stream(scores).anyMatch(Double::isNaN)) {
            return Double.NaN;
        }
        int[] order = IntStream.range(0, scores.length)
                .boxed()
                .sorted((a, b) -> Double.compare(scores[a], scores[b]))
                .mapToInt(Integer::intValue)
                .toArray();
        double won = 0;
        long negatives = 0;
        for (int from = 0, to; from < order.length; from = to) {
            long tiedPositives = 0;
            to = from;
            while (to < order.length && scores[order[to]] == scores[order[from]]) {
                tiedPositives += positive[order[to]] ? 1 : 0;
                to++;
            }
            long tiedNegatives = to - from - tiedPositives;
            won += tiedPositives * (negatives + tiedNegatives / 2.0);
            negatives += tiedNegatives;
        }
        long positives = scores.length - negatives;
        return positives == 0 || negatives == 0 ? Double.NaN : won / ((double) positives * negatives);
    }

    /**
     * The mean over classes of one class against the rest, of those classes that some samples belong to and some do not.
     *
     * @param scores per sample one score per class
     * @param labels class of each sample
     */
    public static double oneVsRest(double[][] scores, int[] labels) {
        if (scores.length != labels.length) {
            throw new ArgumentException(scores.length + " rows of scores for " + labels.length + " labels");
        }
        int classes = scores.length == 0 ? 0 : scores[0].length;
        double sum = 0;
        int counted = 0;
        for (int c = 0; c < classes; c++) {
            int column = c;
            boolean[] positive = new boolean[labels.length];
            for (int i = 0; i < labels.length; i++) {
                positive[i] = labels[i] == c;
            }
            if (IntStream.of(labels).anyMatch(label -> label == column)
                    && IntStream.of(labels).anyMatch(label -> label != column)) {
                sum += binary(
                        Arrays.stream(scores).mapToDouble(row -> row[column]).toArray(), positive);
                counted++;
            }
        }
        return counted == 0 ? Double.NaN : sum / counted;
    }
}
