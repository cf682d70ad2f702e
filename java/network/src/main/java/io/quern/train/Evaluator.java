package io.quern.train;

import io.quern.data.Batch;
import io.quern.data.Batches;
import io.quern.data.Loader;
import io.quern.nn.Network;
import io.quern.nn.Packings;
import io.quern.nn.Pass;
import io.quern.op.Executor;
import io.quern.op.Tape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Measures a classifier in inference mode; changes nothing in it. Keeps its memory between calls: close it. */
public final class Evaluator implements AutoCloseable {
    private final Network network;
    private final Loss loss;
    private final Workspace workspace;
    private final Tape tape;

    public Evaluator(Network network, Executor executor, Loss loss) {
        Predictions.requireSameMemory(network, executor);
        this.network = network;
        this.loss = loss;
        this.workspace = new Workspace(executor.memory());
        this.tape = new Tape(executor, workspace);
    }

    /** What one batch adds. */
    private interface Visitor {
        void visit(double loss, Tensor output, int[] labels);
    }

    /** All metrics over every sample of the loader, once. */
    public Evaluation evaluate(Loader loader) {
        int classes = loader.dataset().classes();
        ConfusionMatrix confusion = new ConfusionMatrix(classes);
        List<double[]> scores = new ArrayList<>();
        List<Integer> actual = new ArrayList<>();
        double[] lossSum = new double[1];
        forEachBatch(loader, (batchLoss, output, labels) -> {
            double[][] probabilities = Predictions.probabilities(output);
            int[] predicted = Predictions.classes(output);
            int counted = 0;
            for (int i = 0; i < labels.length; i++) {
                if (loss.counts(labels[i])) {
                    confusion.add(labels[i], predicted[i]);
                    scores.add(probabilities[i]);
                    actual.add(labels[i]);
                    counted++;
                }
            }
            lossSum[0] += counted == 0 ? 0 : batchLoss * counted;
        });
        int samples = actual.size();
        int[] labels = actual.stream().mapToInt(Integer::intValue).toArray();
        return new Evaluation(samples, lossSum[0] / samples, confusion, auroc(classes, scores, labels));
    }

    private static double auroc(int classes, List<double[]> scores, int[] labels) {
        if (classes != 2) {
            return Auroc.oneVsRest(scores.toArray(double[][]::new), labels);
        }
        boolean[] positive = new boolean[labels.length];
        for (int i = 0; i < labels.length; i++) {
            positive[i] = labels[i] == 1;
        }
        return Auroc.binary(scores.stream().mapToDouble(row -> row[1]).toArray(), positive);
    }

    /** The probability of each class for each sample, in the order of the loader. */
    public double[][] probabilities(Loader loader) {
        List<double[]> rows = new ArrayList<>();
        forEachBatch(
                loader, (batchLoss, output, labels) -> rows.addAll(Arrays.asList(Predictions.probabilities(output))));
        return rows.toArray(double[][]::new);
    }

    private void forEachBatch(Loader loader, Visitor visitor) {
        try (Batches batches = loader.epoch(0);
                Packings packings = new Packings()) {
            for (Batch batch = batches.next(); batch != null; batch = batches.next()) {
                try {
                    Tensor x = Predictions.input(tape, network, batch.inputs());
                    Tensor output = network.forward(Pass.inference(tape, packings), x);
                    double value = loss.apply(tape, output, batch.labels()).item();
                    visitor.visit(value, output, batch.labels().toInts());
                } finally {
                    tape.clear();
                    workspace.reset();
                }
            }
        }
    }

    @Override
    public void close() {
        workspace.close();
    }
}
