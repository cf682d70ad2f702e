package io.quern.backend.cuda;

import io.quern.backend.cuda.StepTrace.Mode;
import io.quern.backend.cuda.StepTrace.NotRepeatable;
import io.quern.op.StepRepeater;
import java.util.LinkedHashMap;

/**
 * Steps of training as CUDA graphs. A step is run op by op until one allocates nothing; the next one is captured, and
 * kept if it launches the same; from then on a step of that key is one launch. Before each launch the step is run without
 * launching anything: the numbers that change are taken from it, and whatever else has changed discards the graph.
 */
final class CudaStepRepeater implements StepRepeater {
    private static final System.Logger LOG = System.getLogger(CudaStepRepeater.class.getName());
    private static final int MOST_KEYS = 4;
    /** Steps that may allocate before a key is given up. */
    private static final int PATIENCE = 8;

    private final CudaDevice device;
    private final Launch launch;
    private final DeviceScratch scratch;
    private final StepValues values;
    private final LinkedHashMap<Object, Known> known = new LinkedHashMap<>(16, 0.75f, true);

    /** What is known of the steps of one key. */
    private static final class Known {
        private StepTrace trace;
        private StepGraph graph;
        private long scratch;
        private int attempts;
        private boolean refused;

        void forget() {
            if (graph != null) {
                graph.close();
            }
            graph = null;
            trace = null;
        }
    }

    CudaStepRepeater(CudaDevice device, Launch launch, DeviceScratch scratch, StepValues values) {
        this.device = device;
        this.launch = launch;
        this.scratch = scratch;
        this.values = values;
    }

    @Override
    public boolean run(Step step) {
        Known steps = known(step.key());
        if (steps.refused) {
            return false;
        }
        values.open();
        if (steps.graph != null && replay(steps, step)) {
            return true;
        }
        StepTrace update = rehearse(step);
        if (update.obstacle().isPresent()
                || !update.guardable()
                || update.changes().size() > StepValues.CAPACITY) {
            return refuse(steps, update.obstacle().orElse("its update is not made of optimizer ops alone"));
        }
        if (steps.trace == null || steps.scratch != scratch.address()) {
            observe(steps, step);
            return true;
        }
        if (!capture(steps, step)) {
            return false;
        }
        values.write(step.number(), update.changes());
        steps.graph.launch();
        if (steps.trace == null) {
            steps.forget();
        }
        return true;
    }

    private Known known(Object key) {
        Known steps = known.computeIfAbsent(key, k -> new Known());
        if (known.size() > MOST_KEYS) {
            known.pollFirstEntry().getValue().forget();
        }
        return steps;
    }

    private boolean refuse(Known steps, String why) {
        steps.forget();
        steps.refused = true;
        LOG.log(System.Logger.Level.DEBUG, "a step is launched op by op, not as a graph: {0}", why);
        return false;
    }

    /** The update alone, not launched. */
    private StepTrace rehearse(Step step) {
        StepTrace trace = new StepTrace(Mode.DRY, step.number());
        try {
            traced(trace, () -> update(step));
        } catch (NotRepeatable e) {
            return trace;
        }
        return trace;
    }

    /** Launches the graph if the whole step, run without launching, still is what was captured; else forgets it. */
    private boolean replay(Known steps, Step step) {
        StepTrace trace = new StepTrace(Mode.REHEARSED, step.number());
        boolean same;
        try {
            traced(trace, () -> all(step));
            same = steps.scratch == scratch.address() && trace.sameAs(steps.trace);
        } catch (NotRepeatable e) {
            same = false;
        }
        if (same) {
            values.write(step.number(), trace.changes());
            steps.graph.launch();
        } else {
            steps.forget();
        }
        return same;
    }

    /** Runs the step op by op and looks whether it can be captured. */
    private void observe(Known steps, Step step) {
        StepTrace trace = new StepTrace(Mode.OBSERVED, step.number());
        traced(trace, () -> all(step));
        steps.forget();
        steps.attempts++;
        if (trace.obstacle().isPresent() || steps.attempts > PATIENCE) {
            refuse(steps, trace.obstacle().orElse("it is another one each time"));
        } else if (trace.settled()) {
            steps.trace = trace;
            steps.scratch = scratch.address();
        }
    }

    /** Makes the graph of this step; without a trace if the step before was another. False if there is none. */
    private boolean capture(Known steps, Step step) {
        StepTrace trace = new StepTrace(Mode.CAPTURED, step.number());
        try {
            steps.graph = StepGraph.capture(device, trace, () -> traced(trace, () -> all(step)));
        } catch (NotRepeatable e) {
            return refuse(steps, e.getMessage());
        }
        if (!trace.sameAs(steps.trace)) {
            steps.trace = null;
        }
        return true;
    }

    private void all(Step step) {
        step.body().run();
        update(step);
    }

    private void update(Step step) {
        launch.guard(step.guard() == null ? 0 : step.guard().address());
        try {
            step.update().run();
        } finally {
            launch.guard(0);
        }
    }

    private void traced(StepTrace trace, Runnable work) {
        device.trace(trace);
        try {
            work.run();
        } finally {
            device.trace(null);
        }
    }

    @Override
    public void close() {
        known.values().forEach(Known::forget);
        known.clear();
    }
}
