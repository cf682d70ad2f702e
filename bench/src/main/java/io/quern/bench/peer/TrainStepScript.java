package io.quern.bench.peer;

import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The ready-made models as TorchScript: parameters p0, p1, ... and running statistics s0, s1, ... in Quern's order. */
final class TrainStepScript {
    private final StringBuilder body = new StringBuilder();
    private int parameter;
    private int state;

    private TrainStepScript() {}

    /** f(x, t, p..., s...) is the mean cross-entropy of the images x with classes t. */
    static String loss(String model, int parameters, int states) {
        TrainStepScript script = new TrainStepScript();
        switch (model) {
            case "mlp" -> script.flatten().dense().relu().dense().relu().dense();
            case "lenet" ->
                script.convolution(1, 2, true)
                        .relu()
                        .maxPool()
                        .convolution(1, 0, true)
                        .relu()
                        .maxPool()
                        .flatten()
                        .dense()
                        .relu()
                        .dense()
                        .relu()
                        .dense();
            case "resnet20" -> script.resnet20();
            default -> throw new IllegalArgumentException("model is " + model + ", expected mlp, lenet or resnet20");
        }
        if (script.parameter != parameters || script.state != states) {
            throw new IllegalStateException(model + " here has " + script.parameter + " parameters and " + script.state
                    + " states, Quern's " + parameters + " and " + states);
        }
        return "def f(x, t, " + names("p", parameters) + (states == 0 ? "" : ", " + names("s", states)) + "):\n"
                + script.body + "    return torch.cross_entropy_loss(x, t)\n";
    }

    /** f(p..., g..., v...) updates parameters by SGD with Nesterov momentum 0.9. */
    static String update(int parameters, double rate) {
        String p = names("p", parameters);
        String g = names("g", parameters);
        String v = names("v", parameters);
        return "def f(" + p + ", " + g + ", " + v + "):\n    ps = [" + p + "]\n    torch._fused_sgd_(ps, [" + g + "], ["
                + v
                + "], weight_decay=0.0, momentum=0.9, lr=" + rate
                + ", dampening=0.0, nesterov=True, maximize=False, is_first_step=False)\n    return ps[0]\n";
    }

    private static String names(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(i -> prefix + i).collect(Collectors.joining(", "));
    }

    private void resnet20() {
        normalized(1, 1).relu();
        int channels = 16;
        for (int width : new int[] {16, 32, 64}) {
            for (int block = 0; block < 3; block++) {
                int stride = width == channels ? 1 : 2;
                body.append("    y = x\n");
                normalized(stride, 1).relu().normalized(1, 1);
                if (width != channels) {
                    body.append("    z = x\n    x = y\n");
                    normalized(stride, 0);
                    body.append("    y = x\n    x = z\n");
                }
                body.append("    x = x.add_(y)\n");
                relu();
                channels = width;
            }
        }
        body.append("    x = torch.mean(x, [2, 3])\n");
        dense();
    }

    private TrainStepScript normalized(int stride, int padding) {
        convolution(stride, padding, false);
        body.append("    x = torch.batch_norm(x, ")
                .append(next())
                .append(next())
                .append("s" + state++ + ", s" + state++)
                .append(", True, 0.1, 1e-5, False)\n");
        return this;
    }

    private TrainStepScript convolution(int stride, int padding, boolean bias) {
        body.append("    x = torch.conv2d(x, ")
                .append(next())
                .append(bias ? next() : "None, ")
                .append("[%d, %d], [%d, %d])%n".formatted(stride, stride, padding, padding));
        return this;
    }

    private TrainStepScript dense() {
        String weights = next();
        body.append("    x = torch.addmm(").append(next()).append("x, ").append(weights.replace(", ", ")\n"));
        return this;
    }

    private TrainStepScript relu() {
        body.append("    x = torch.relu_(x)\n");
        return this;
    }

    private TrainStepScript maxPool() {
        body.append("    x = torch.max_pool2d(x, [2, 2], [2, 2])\n");
        return this;
    }

    /** In Quern's order, channels last, which is a view here. */
    private TrainStepScript flatten() {
        body.append("    x = x.permute(0, 2, 3, 1).flatten(1)\n");
        return this;
    }

    private String next() {
        return "p" + parameter++ + ", ";
    }
}
