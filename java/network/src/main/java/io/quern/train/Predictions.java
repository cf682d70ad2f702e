package io.quern.train;

import io.quern.nn.Network;
import io.quern.op.Executor;
import io.quern.op.Tape;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Tensor;

/** From a batch to the classes that a network sees in it. */
final class Predictions {
    private Predictions() {}

    /** The samples in the network's dtype and memory: on a device, this is where a batch is copied to it. */
    static Tensor input(Tape tape, Network network, Tensor x) {
        return tape.place(x, network.dtype());
    }

    static void requireSameMemory(Network network, Executor executor) {
        if (network.memory() != executor.memory()) {
            throw new ArgumentException("the network is in " + network.memory().name()
                    + " memory, the backend works in " + executor.memory().name()
                    + " memory; build it with Network.build(model, shape, rng, backend.memory())");
        }
    }

    /** The index of the first largest output of each sample; a NaN counts as smallest. */
    static int[] classes(Tensor output) {
        return classes(output.toFloats(), output.dim(0));
    }

    /** The same of the outputs of so many samples, one after the other. */
    static int[] classes(float[] values, int samples) {
        int[] classes = new int[samples];
        int length = samples == 0 ? 0 : values.length / samples;
        for (int i = 0; i < classes.length; i++) {
            int best = 0;
            for (int c = 1; c < length; c++) {
                if (values[i * length + c] > values[i * length + best] || Float.isNaN(values[i * length + best])) {
                    best = c;
                }
            }
            classes[i] = best;
        }
        return classes;
    }

    /** Softmax of each row, in double. */
    static double[][] probabilities(Tensor logits) {
        double[][] rows = new double[logits.dim(0)][];
        float[] values = logits.toFloats();
        int classes = rows.length == 0 ? 0 : values.length / rows.length;
        for (int i = 0; i < rows.length; i++) {
            double[] row = new double[classes];
            double largest = Double.NEGATIVE_INFINITY;
            for (int c = 0; c < classes; c++) {
                largest = Math.max(largest, values[i * classes + c]);
            }
            double sum = 0;
            for (int c = 0; c < classes; c++) {
                row[c] = Math.exp(values[i * classes + c] - largest);
                sum += row[c];
            }
            for (int c = 0; c < classes; c++) {
                row[c] /= sum;
            }
            rows[i] = row;
        }
        return rows;
    }
}
