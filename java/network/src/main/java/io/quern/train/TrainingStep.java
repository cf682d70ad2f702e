package io.quern.train;

import io.quern.data.Batch;
import io.quern.nn.Network;
import io.quern.nn.ParameterBlock;
import io.quern.nn.Pass;
import io.quern.op.ClipByNorm;
import io.quern.op.Executor;
import io.quern.op.Fill;
import io.quern.op.Gradients;
import io.quern.op.SquaredNorm;
import io.quern.op.Tape;
import io.quern.tensor.QuernException;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import java.util.IdentityHashMap;
import java.util.Map;

/** One step of training: forward, backward, penalty, clipping, update. All its memory is one workspace. */
public final class TrainingStep implements AutoCloseable {
    private final Network network;
    private final Executor executor;
    private final TrainingOptions options;
    private final Workspace workspace;
    private final Tape tape;
    private final OptimizerMemory memory;
    private final ParameterBlock gradients;
    /** Where in the block of gradients that of each parameter lies. */
    private final Map<Tensor, Tensor> destinations = new IdentityHashMap<>();

    /** @param right samples whose largest output is that of their label */
    public record Outcome(double loss, int right, int counted) {}

    public TrainingStep(Network network, Executor executor, TrainingOptions options) {
        Predictions.requireSameMemory(network, executor);
        this.network = network;
        this.executor = executor;
        this.options = options;
        this.workspace = new Workspace(executor.memory());
        this.tape = new Tape(executor, workspace);
        this.memory = new OptimizerMemory(options.optimizer(), network);
        try {
            this.gradients = network.trained().zeros();
        } catch (RuntimeException e) {
            memory.close();
            throw e;
        }
        network.trained().parameters().forEach(p -> destinations.put(p.value(), gradients.view(p)));
    }

    /** @param step steps done before this one */
    public Outcome run(Batch batch, long step, double rate) {
        try {
            Rng rng = Rng.of(options.seed()).step(Math.toIntExact(step));
            Tensor x = Predictions.input(tape, network, batch.inputs());
            Tensor output = network.forward(Pass.training(tape, rng), x);
            Tensor loss = options.loss().apply(tape, output, batch.labels());
            double value = loss.item();
            if (options.stopOnNonFinite() && !Double.isFinite(value)) {
                throw new QuernException("the loss is " + value + " in epoch " + (batch.epoch() + 1) + ", batch "
                        + (batch.index() + 1) + ", step " + (step + 1) + ", at learning rate " + rate
                        + "; lower the rate, clip gradients, or look for non-finite inputs. "
                        + "The parameters are those before this step");
            }
            clearUnreached(tape.backward(loss, destinations));
            options.penalty().addGradient(tape, network.trained().decayed(), gradients.decayed());
            clip();
            memory.update(executor, gradients, rate, step + 1);
            return outcome(value, output, batch);
        } finally {
            tape.clear();
            workspace.reset();
        }
    }

    /** A parameter that the loss does not depend on has gradient 0. */
    private void clearUnreached(Gradients found) {
        destinations.forEach((parameter, gradient) -> {
            if (!found.has(parameter)) {
                executor.run(Fill.OP, new Fill.Args(gradient, 0));
            }
        });
    }

    private void clip() {
        if (options.clipNorm() > 0) {
            Tensor all = gradients.values();
            Tensor square = tape.allocate(network.dtype(), Shape.of());
            executor.run(SquaredNorm.OP, new SquaredNorm.Args(all, square));
            executor.run(ClipByNorm.OP, new ClipByNorm.Args(all, square, all, options.clipNorm()));
        }
    }

    private Outcome outcome(double loss, Tensor output, Batch batch) {
        int[] labels = batch.labels().toInts();
        int[] predicted = Predictions.classes(output);
        int right = 0;
        int counted = 0;
        for (int i = 0; i < labels.length; i++) {
            if (options.loss().counts(labels[i])) {
                counted++;
                right += predicted[i] == labels[i] ? 1 : 0;
            }
        }
        return new Outcome(loss, right, counted);
    }

    OptimizerMemory memory() {
        return memory;
    }

    Workspace workspace() {
        return workspace;
    }

    @Override
    public void close() {
        gradients.close();
        memory.close();
        workspace.close();
    }
}
