package io.quern.bench;

import io.quern.backend.Backends;
import io.quern.op.Conv2d;
import io.quern.op.Conv2dBackwardData;
import io.quern.op.Conv2dBackwardWeights;
import io.quern.op.Executor;
import io.quern.op.Matmul;
import io.quern.op.Op;
import io.quern.op.OpArgs;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/**
 * The operations of a training step's products and convolutions, direct ones, as model FLOPs utilization counts them (Chowdhery
 * et al., PaLM, 2022, appendix B); nothing else of a step counts.
 */
final class StepFlops {
    private static final Set<Class<?>> COUNTED =
            Set.of(Matmul.class, Conv2d.class, Conv2dBackwardData.class, Conv2dBackwardWeights.class);

    private static final Map<String, Double> PER_SAMPLE = new ConcurrentHashMap<>();

    private StepFlops() {}

    /** Of one sample: a step's are as many times that as its batch has samples. */
    static double perSample(String model) {
        return PER_SAMPLE.computeIfAbsent(model, StepFlops::counted);
    }

    private static double counted(String model) {
        double[] flops = {0};
        UnaryOperator<Executor> counting = executor -> new Executor() {
            @Override
            public <A extends OpArgs> void run(Op<A> op, A args) {
                if (COUNTED.contains(op.getClass())) {
                    flops[0] += op.cost(args).flops();
                }
                executor.run(op, args);
            }

            @Override
            public Memory memory() {
                return executor.memory();
            }
        };
        try (Tensor input =
                        Tensor.allocate(DType.F32, TrainStepBench.image(model).prepend(1));
                Tensor labels = Tensor.allocate(DType.I32, Shape.of(1));
                Tensor loss = Tensor.allocate(DType.F32, Shape.of());
                QuernStep step = new QuernStep(Backends.of("scalar", 1), counting, model, input, labels, loss)) {
            step.run();
        }
        return flops[0];
    }
}
