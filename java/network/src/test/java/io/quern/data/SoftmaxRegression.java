package io.quern.data;

/** The linear model that shows how hard a data set is: softmax regression by stochastic gradient descent, plain loops. */
final class SoftmaxRegression {
    private final int inputs;
    private final int classes;
    private final float[] weights;
    private final double[] probabilities;
    private final float[] sample;

    private SoftmaxRegression(int inputs, int classes) {
        this.inputs = inputs;
        this.classes = classes;
        // one more input, always 1, is the bias
        weights = new float[classes * (inputs + 1)];
        sample = new float[inputs + 1];
        sample[inputs] = 1;
        probabilities = new double[classes];
    }

    /** Share of the test samples that are classified correctly after some epochs of training. */
    static double accuracy(Dataset train, Dataset test, int epochs) {
        SoftmaxRegression model = new SoftmaxRegression(train.sampleLength(), train.classes());
        Loader loader = Loader.shuffled(train, 1, 3);
        for (int epoch = 0; epoch < epochs; epoch++) {
            double rate = 0.002 / (1 + 0.7 * epoch);
            for (int index : loader.order(epoch)) {
                model.step(train, index, rate);
            }
        }
        int correct = 0;
        for (int index = 0; index < test.size(); index++) {
            model.forward(test, index);
            int best = 0;
            for (int c = 1; c < model.classes; c++) {
                best = model.probabilities[c] > model.probabilities[best] ? c : best;
            }
            correct += best == test.label(index) ? 1 : 0;
        }
        return (double) correct / test.size();
    }

    private void forward(Dataset data, int index) {
        data.read(index, sample, 0);
        double sum = 0;
        for (int c = 0; c < classes; c++) {
            float logit = 0;
            for (int i = 0; i <= inputs; i++) {
                logit += weights[c * (inputs + 1) + i] * sample[i];
            }
            probabilities[c] = Math.exp(logit);
            sum += probabilities[c];
        }
        for (int c = 0; c < classes; c++) {
            probabilities[c] /= sum;
        }
    }

    private void step(Dataset data, int index, double rate) {
        forward(data, index);
        probabilities[data.label(index)] -= 1;
        for (int c = 0; c < classes; c++) {
            float scale = (float) (rate * probabilities[c]);
            for (int i = 0; i <= inputs; i++) {
                weights[c * (inputs + 1) + i] -= scale * sample[i];
            }
        }
    }
}
