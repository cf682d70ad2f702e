package io.quern.train;

import io.quern.data.Batch;
import io.quern.data.Batches;
import io.quern.data.FormatException;
import io.quern.data.Loader;
import io.quern.nn.Network;
import io.quern.op.Executor;
import io.quern.regularize.EarlyStopping;
import io.quern.tensor.ArgumentException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Trains a classifier. One thread; close it, then the network.
 *
 * <p>A run is a function of the network's initial values, the options and the loaders: the same bits each time, for any
 * number of threads, whether it was interrupted and resumed or not.
 */
public final class Trainer implements AutoCloseable {
    private final Network network;
    private final TrainingOptions options;
    private final TrainingStep step;
    private final Evaluator evaluator;
    private final List<TrainingListener> listeners = new ArrayList<>();
    private TrainingPosition position = new TrainingPosition();
    private Snapshot best;
    private CheckpointFolder folder;
    private int everySteps;
    private volatile boolean stopped;

    public Trainer(Network network, Executor executor, TrainingOptions options) {
        this.network = network;
        this.options = options;
        this.step = new TrainingStep(network, executor, options);
        this.evaluator = new Evaluator(network, executor, options.loss());
    }

    public Network network() {
        return network;
    }

    public TrainingOptions options() {
        return options;
    }

    public Trainer listen(TrainingListener listener) {
        listeners.add(listener);
        return this;
    }

    /**
     * Saves a checkpoint after each epoch, when {@link #stop} is obeyed, and every few steps.
     *
     * @param steps 0: not within epochs
     */
    public Trainer checkpoints(CheckpointFolder target, int steps) {
        if (steps < 0) {
            throw new ArgumentException("checkpoints every " + steps + " steps, expected at least 0");
        }
        target.create();
        folder = target;
        everySteps = steps;
        return this;
    }

    /** Saves everything that {@link #resume} needs, replacing the file as a whole. */
    public void save(Path file) {
        Checkpoint.write(file, network, step.memory(), best, position, options.seed());
    }

    /**
     * Continues where a checkpoint was saved; the next {@link #fit} starts at that batch. Model, optimizer, seed and number
     * of batches are checked; the other options must be those of before for the same bits.
     *
     * @throws FormatException when the file is damaged, or of another model, optimizer or seed
     */
    public void resume(Path file) {
        Snapshot saved = Checkpoint.keepsBest(file) ? new Snapshot(network) : null;
        try {
            position = Checkpoint.read(file, network, step.memory(), saved, options.seed());
        } catch (RuntimeException e) {
            if (saved != null) {
                saved.close();
            }
            throw e;
        }
        dropBest();
        best = saved;
    }

    /** Asks {@link #fit} to return after the current step. May be called from any thread. */
    public void stop() {
        stopped = true;
    }

    /** Trains without a validation set. */
    public TrainingResult fit(Loader train) {
        return fit(train, null);
    }

    /**
     * Trains until all epochs are done, early stopping sees no more progress, or {@link #stop} is called.
     *
     * @param validation evaluated after each epoch; null for none
     * @throws io.quern.tensor.QuernException when the loss is not finite and the options say so, naming epoch and step
     */
    public TrainingResult fit(Loader train, Loader validation) {
        check(train, validation);
        position.batches = train.batchesPerEpoch();
        while (goesOn()) {
            trainEpoch(train);
            if (position.batch == position.batches) {
                finishEpoch(validation);
            }
            if (stopped && goesOn()) {
                stopped = false;
                checkpoint();
                return result(TrainingResult.End.STOPPED, -1);
            }
        }
        stopped = false;
        boolean early = position.epoch < options.epochs();
        boolean restores = best != null;
        if (restores) {
            best.giveBack();
        }
        return result(
                early ? TrainingResult.End.EARLY : TrainingResult.End.FINISHED, restores ? position.bestEpoch : -1);
    }

    private void check(Loader train, Loader validation) {
        if (options.earlyStopping().isPresent() && validation == null) {
            throw new ArgumentException("early stopping needs a validation set");
        }
        if (train.batchesPerEpoch() == 0) {
            throw new ArgumentException("the training set has "
                    + train.dataset().size() + " samples, less than one batch of " + train.batchSize());
        }
        if (position.batches != 0 && position.batches != train.batchesPerEpoch()) {
            throw new ArgumentException("the checkpoint was saved with " + position.batches
                    + " batches per epoch, these data have " + train.batchesPerEpoch()
                    + "; resume with the same data and batch size");
        }
    }

    /** True while there are epochs left and early stopping has not lost its patience. */
    private boolean goesOn() {
        boolean patient = options.earlyStopping()
                .map(stopping -> position.waited < stopping.patience())
                .orElse(true);
        return patient && position.epoch < options.epochs();
    }

    /** The rest of the epoch, or less if it is stopped. */
    private void trainEpoch(Loader train) {
        long total = Math.multiplyExact((long) options.epochs(), position.batches);
        try (Batches batches = train.epoch(position.epoch, position.batch)) {
            for (Batch batch = batches.next(); batch != null; batch = batches.next()) {
                double rate = options.schedule().rate(position.step, total);
                TrainingStep.Outcome outcome = step.run(batch, position.step, rate);
                position.add(outcome, rate);
                TrainingListener.Step report = new TrainingListener.Step(
                        batch.epoch(),
                        batch.index(),
                        position.batches,
                        position.step,
                        outcome.loss(),
                        rate,
                        batch.size(),
                        outcome.right());
                listeners.forEach(listener -> listener.onStep(this, report));
                if (stopped) {
                    return;
                }
                if (everySteps > 0 && position.step % everySteps == 0 && position.batch < position.batches) {
                    checkpoint();
                }
            }
        }
    }

    private void finishEpoch(Loader validation) {
        Evaluation evaluation = validation == null ? null : evaluator.evaluate(validation);
        boolean isBest = evaluation != null
                && options.earlyStopping().isPresent()
                && judge(options.earlyStopping().get(), evaluation);
        EpochReport report = new EpochReport(
                position.epoch,
                position.step,
                position.lossSum / position.samples,
                (double) position.right / position.samples,
                evaluation == null ? Double.NaN : evaluation.loss(),
                evaluation == null ? Double.NaN : evaluation.accuracy(),
                position.rate,
                isBest);
        position.nextEpoch(report);
        // a listener's record of an epoch may be made twice after a kill, but never be missing beside a checkpoint
        listeners.forEach(listener -> listener.onEpoch(this, report));
        checkpoint();
    }

    /** Early stopping's view of an epoch: true when it is the best so far. */
    private boolean judge(EarlyStopping stopping, Evaluation evaluation) {
        double score = stopping.watch() == EarlyStopping.Score.LOSS ? evaluation.loss() : evaluation.accuracy();
        if (!stopping.improves(score, position.best)) {
            position.waited++;
            return false;
        }
        position.best = score;
        position.bestEpoch = position.epoch;
        position.waited = 0;
        if (stopping.restoreBest()) {
            if (best == null) {
                best = new Snapshot(network);
            }
            best.take();
        }
        return true;
    }

    private void dropBest() {
        if (best != null) {
            best.close();
            best = null;
        }
    }

    /** Saves a checkpoint now, if {@link #checkpoints} named a folder. For listeners, which run between two steps. */
    public void checkpoint() {
        if (folder != null) {
            save(folder.file(position.step));
            folder.prune();
        }
    }

    private TrainingResult result(TrainingResult.End end, int bestEpoch) {
        return new TrainingResult(List.copyOf(position.reports), position.step, end, bestEpoch, highWaterMark());
    }

    /** The most bytes that one step used, besides parameters, gradients and optimizer. */
    public long highWaterMark() {
        return step.workspace().highWaterMark();
    }

    /** Bytes that the steps' memory occupies now. */
    public long bytesReserved() {
        return step.workspace().bytesReserved();
    }

    @Override
    public void close() {
        dropBest();
        evaluator.close();
        step.close();
    }
}
