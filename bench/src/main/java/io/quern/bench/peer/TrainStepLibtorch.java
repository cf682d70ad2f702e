package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.nn.Network;
import io.quern.nn.Parameter;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.global.torch;

/**
 * A training step of libtorch from the same weights: forward and loss as one TorchScript function under autograd, the
 * backward, and one fused SGD update of all parameters. Images and filters are channels-last.
 */
public final class TrainStepLibtorch implements Contender {
    private final List<org.bytedeco.pytorch.Tensor> parameters = new ArrayList<>();
    private final LibtorchScript forward;
    private final LibtorchScript update;
    private final Tensor loss;
    private float last;

    /** @param loss receives the loss of the third step, which two updates precede */
    public TrainStepLibtorch(String model, Network network, Tensor inputs, Tensor labels, double rate, Tensor loss) {
        this.loss = loss;
        List<org.bytedeco.pytorch.Tensor> arguments = new ArrayList<>();
        arguments.add(Libtorch.image(inputs));
        arguments.add(Libtorch.classes(labels));
        List<org.bytedeco.pytorch.Tensor> velocities = new ArrayList<>();
        for (Parameter parameter : network.parameters()) {
            org.bytedeco.pytorch.Tensor view = Libtorch.over(parameter.value());
            org.bytedeco.pytorch.Tensor own = parameter.shape().rank() == 4
                    ? view.permute(3, 2, 0, 1).contiguous(torch.MemoryFormat.ChannelsLast)
                    : view.clone();
            parameters.add(own.set_requires_grad(true));
            velocities.add(torch.zeros_like(own));
        }
        arguments.addAll(parameters);
        for (Parameter state : network.state()) {
            arguments.add(Libtorch.over(state.value()).clone());
        }
        int count = parameters.size();
        forward = new LibtorchScript(
                TrainStepScript.loss(model, count, network.state().size()),
                arguments.toArray(org.bytedeco.pytorch.Tensor[]::new));
        List<org.bytedeco.pytorch.Tensor> state = new ArrayList<>();
        parameters.forEach(parameter -> state.add(parameter.detach()));
        state.addAll(velocities);
        state.addAll(velocities);
        update = new LibtorchScript(
                TrainStepScript.update(count, rate), state.toArray(org.bytedeco.pytorch.Tensor[]::new));
    }

    /** Gradients are dropped after the update, so that the next backward need not add to them. */
    @Override
    public void run() {
        try (org.bytedeco.pytorch.Tensor result = forward.call()) {
            result.backward();
            for (int i = 0; i < parameters.size(); i++) {
                org.bytedeco.pytorch.Tensor gradient = parameters.get(i).mutable_grad();
                update.set(parameters.size() + i, gradient);
                gradient.reset();
            }
            update.call().close();
            last = result.item_float();
        }
    }

    @Override
    public void publish() {
        run();
        run();
        loss.set(0, last);
    }
}
