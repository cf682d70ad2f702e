package io.quern.cli;

import io.quern.backend.EnergyMeter;
import io.quern.cli.run.Metrics;
import io.quern.cli.run.RunFolder;
import io.quern.train.EpochReport;
import io.quern.train.Trainer;
import io.quern.train.TrainingListener;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Shows how a training goes, measures its time, and keeps metrics.csv and metrics.jsonl up to date. */
final class TrainingProgress implements TrainingListener {
    private final Terminal terminal;
    private final RunFolder run;
    private final CheckpointInterval interval;
    private final int epochs;
    private final ProgressBar bar;
    private final List<Metrics> metrics;
    private final Optional<EnergyMeter> energy;
    private long start = System.nanoTime();
    private long now = start;
    private long lastCheckpoint = start;
    private boolean started;
    private int firstBatch = -1;
    private long samples;
    private long right;
    private double lossSum;
    private double joulesBefore;
    private double joules = Double.NaN;

    /**
     * @param earlier the epochs before a resume
     * @param energy the device's, where it counts it; the caller closes it
     */
    TrainingProgress(
            Terminal terminal,
            RunFolder run,
            CheckpointInterval interval,
            int epochs,
            List<Metrics> earlier,
            Optional<EnergyMeter> energy) {
        this.terminal = terminal;
        this.run = run;
        this.interval = interval;
        this.epochs = epochs;
        this.bar = new ProgressBar(terminal, start);
        this.metrics = new ArrayList<>(earlier);
        this.energy = energy;
        this.joulesBefore = energyNow();
    }

    @Override
    public void onStep(Trainer trainer, Step step) {
        now = System.nanoTime();
        if (!started) {
            started = true;
            terminal.line(
                    "start    first step done after %.2f s",
                    ManagementFactory.getRuntimeMXBean().getUptime() * 1e-3);
        }
        if (firstBatch < 0) {
            firstBatch = step.batch();
        }
        samples += step.samples();
        right += step.right();
        lossSum += step.loss() * step.samples();
        if (step.batch() + 1 == step.batches()) { // before the validation
            joules = energyNow() - joulesBefore;
        }
        double seconds = seconds();
        double done = step.batch() + 1 - firstBatch;
        double left = (step.batches() - step.batch() - 1) + (double) (epochs - step.epoch() - 1) * step.batches();
        bar.show(
                new ProgressBar.State(
                        step.epoch() + 1,
                        epochs,
                        (step.batch() + 1.0) / step.batches(),
                        lossSum / samples,
                        (double) right / samples,
                        samples / seconds,
                        left * seconds / done),
                now);
        if (interval.seconds() > 0 && (now - lastCheckpoint) * 1e-9 >= interval.seconds()) {
            trainer.checkpoint();
            lastCheckpoint = now;
        }
    }

    @Override
    public void onEpoch(Trainer trainer, EpochReport report) {
        int epoch = report.epoch() + 1;
        metrics.removeIf(earlier -> earlier.epoch() >= epoch);
        Metrics figures = new Metrics(
                epoch,
                report.loss(),
                report.accuracy(),
                report.validationLoss(),
                report.validationAccuracy(),
                report.rate(),
                samples / seconds(),
                seconds(),
                joules);
        metrics.add(figures);
        run.writeMetrics(metrics);
        bar.finish(line(figures, report.best()));
        start = System.nanoTime();
        now = start;
        lastCheckpoint = start;
        firstBatch = -1;
        samples = 0;
        right = 0;
        lossSum = 0;
        joulesBefore = energyNow();
    }

    private double energyNow() {
        return energy.map(EnergyMeter::joules).orElse(Double.NaN);
    }

    private String line(Metrics epoch, boolean best) {
        String validation = Double.isNaN(epoch.validationAccuracy())
                ? ""
                : String.format(Locale.ROOT, "  validation %.2f %%", 100 * epoch.validationAccuracy());
        return String.format(
                Locale.ROOT,
                "epoch %d/%d  loss %.4f  accuracy %.2f %%%s%s  %,.0f images/s  %s%s",
                epoch.epoch(),
                epochs,
                epoch.loss(),
                100 * epoch.accuracy(),
                validation,
                best ? " (best)" : "",
                epoch.imagesPerSecond(),
                Durations.text(epoch.seconds()),
                Double.isNaN(epoch.joules()) ? "" : String.format(Locale.ROOT, "  %,.1f J", epoch.joules()));
    }

    /** Time of the training steps of this epoch so far. */
    private double seconds() {
        return Math.max(1e-9, (now - start) * 1e-9);
    }

    /** Ends the line that the bar stands on, when training stops within an epoch. */
    void interrupted(String message) {
        bar.finish(message);
    }

    /** One entry per finished epoch, those before a resume included. */
    List<Metrics> metrics() {
        return List.copyOf(metrics);
    }
}
