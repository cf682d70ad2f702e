package io.quern.backend.vector;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/** The plans of the shapes used last: the steps of a training repeat the same few shapes. */
final class ConvPlans<P> {
    private static final int MOST = 64;

    private final Function<ConvShape, P> planner;
    private final Map<ConvShape, P> plans = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<ConvShape, P> eldest) {
            return size() > MOST;
        }
    };

    ConvPlans(Function<ConvShape, P> planner) {
        this.planner = planner;
    }

    synchronized P of(ConvShape shape) {
        return plans.computeIfAbsent(shape, planner);
    }
}
