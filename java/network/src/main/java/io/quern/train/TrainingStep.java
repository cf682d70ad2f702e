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
import io.quern.op.StepRepeater;
import io.quern.op.Tape;
import io.quern.tensor.DType;
import io.quern.tensor.QuernException;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.tensor.Workspace;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

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
    /** By the number of samples; only for steps that are repeated as a whole. */
    private final Map<Integer, Tensor> results = new HashMap<>();

    private final Optional<StepRepeater> repeater;

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
        this.repeater = network.dtype() == DType.F32 ? executor.repeater() : Optional.empty();
        network.trained().parameters().forEach(p -> destinations.put(p.value(), gradients.view(p)));
    }

    /** @param step steps done before this one */
    public Outcome run(Batch batch, long step, double rate) {
        try {
            Forward forward = new Forward(batch, Math.toIntExact(step));
            Seen seen = repeater.isPresent() ? repeated(forward, batch, rate) : null;
            return outcome(seen == null ? launched(forward, batch, rate) : seen, batch);
        } finally {
            tape.clear();
            workspace.reset();
        }
    }

    /** From a batch, in the memory of the step, to its loss; may be run again. */
    private final class Forward {
        private final Rng rng;
        private final Tensor x;
        private final UnaryOperator<Tensor> losses;
        private final Workspace.Mark mark;
        private Tensor output;
        private Tensor loss;

        Forward(Batch batch, int step) {
            rng = Rng.of(options.seed()).step(step);
            x = Predictions.input(tape, network, batch.inputs());
            Shape shape = network.outputShape().prepend(batch.size());
            losses = options.loss().prepare(tape, network.dtype(), shape, batch.labels());
            mark = workspace.mark();
        }

        void run() {
            tape.clear();
            workspace.rewind(mark);
            output = network.forward(Pass.training(tape, rng), x);
            loss = losses.apply(output);
        }
    }

    /** What the host gets to see of a step. */
    private record Seen(double loss, float[] outputs) {}

    /** Op by op: the loss is looked at before anything changes. */
    private Seen launched(Forward forward, Batch batch, double rate) {
        forward.run();
        double loss = forward.loss.item();
        requireFinite(loss, batch, forward.rng.step(), rate);
        backward(forward.loss);
        memory.update(executor, gradients, rate, forward.rng.step() + 1L);
        return new Seen(loss, forward.output.toFloats());
    }

    /** As one piece, then all values are read at once; a loss that is not finite keeps the update from happening. */
    private Seen repeated(Forward forward, Batch batch, double rate) {
        Tensor results = results(batch.size());
        Tensor first = results.slice(0, 0, 1);
        Object key = List.of(
                results.address(),
                forward.x.shape(),
                forward.x.address(),
                workspace.bytesInUse(),
                workspace.bytesReserved());
        Runnable body = () -> {
            forward.run();
            backward(forward.loss);
            first.copyFrom(forward.loss.reshape(first.shape()));
            Tensor rest = results.slice(0, 1, results.elements());
            rest.copyFrom(forward.output.reshape(rest.shape()));
        };
        Runnable update = () -> memory.update(executor, gradients, rate, forward.rng.step() + 1L);
        Tensor guard = options.stopOnNonFinite() ? first : null;
        if (!repeater.get().run(new StepRepeater.Step(key, forward.rng.step(), body, update, guard))) {
            return null;
        }
        float[] values = results.toFloats();
        requireFinite(values[0], batch, forward.rng.step(), rate);
        return new Seen(values[0], Arrays.copyOfRange(values, 1, values.length));
    }

    /** Memory for the loss and the outputs of so many samples. */
    private Tensor results(int samples) {
        return results.computeIfAbsent(
                samples,
                n -> Tensor.allocate(
                        executor.memory(),
                        network.dtype(),
                        Shape.of(1 + n * network.outputShape().elements())));
    }

    private void requireFinite(double loss, Batch batch, int step, double rate) {
        if (options.stopOnNonFinite() && !Double.isFinite(loss)) {
            throw new QuernException("the loss is " + loss + " in epoch " + (batch.epoch() + 1) + ", batch "
                    + (batch.index() + 1) + ", step " + (step + 1) + ", at learning rate " + rate
                    + "; lower the rate, clip gradients, or look for non-finite inputs. "
                    + "The parameters are those before this step");
        }
    }

    private void backward(Tensor loss) {
        clearUnreached(tape.backward(loss, destinations));
        options.penalty().addGradient(tape, network.trained().decayed(), gradients.decayed());
        clip();
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

    private Outcome outcome(Seen seen, Batch batch) {
        int[] labels = batch.labels().toInts();
        int[] predicted = Predictions.classes(seen.outputs, labels.length);
        int right = 0;
        int counted = 0;
        for (int i = 0; i < labels.length; i++) {
            if (options.loss().counts(labels[i])) {
                counted++;
                right += predicted[i] == labels[i] ? 1 : 0;
            }
        }
        return new Outcome(seen.loss, right, counted);
    }

    OptimizerMemory memory() {
        return memory;
    }

    Workspace workspace() {
        return workspace;
    }

    @Override
    public void close() {
        repeater.ifPresent(StepRepeater::close);
        results.values().forEach(Tensor::close);
        gradients.close();
        memory.close();
        workspace.close();
    }
}
