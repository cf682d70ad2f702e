package io.quern.backend;

import io.quern.backend.cuda.CudaPlatform;
import io.quern.backend.reference.ReferenceBackend;
import io.quern.backend.scalar.ScalarBackend;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.QuernException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The only selection code: probes what this machine offers, chooses once, says why. A forced choice never falls back.
 */
public final class Backends {
    private static final System.Logger LOG = System.getLogger(Backends.class.getName());

    private Backends() {}

    /**
     * What became of a backend on this machine.
     *
     * @param reason why it is not available and what to do, or what it would use
     */
    public record Availability(String name, boolean available, String reason) {}

    /** All known backends, best first and the simulator last, each with the reason why it is or is not available. */
    public static List<Availability> probe() {
        List<Availability> found = new ArrayList<>();
        found.add(probe(CudaPlatform.CUDA));
        Optional<String> obstacle = VectorProbe.obstacle();
        found.add(new Availability(
                "vector", obstacle.isEmpty(), obstacle.orElseGet(() -> VectorProbe.bits() + "-bit Vector API")));
        found.add(new Availability("scalar", true, "plain Java loops"));
        found.add(new Availability("reference", true, "plain loops in double, the definition of every op"));
        found.add(probe(CudaPlatform.SIMULATOR));
        return found;
    }

    private static Availability probe(CudaPlatform platform) {
        Optional<String> obstacle = platform.obstacle();
        return new Availability(platform.id(), obstacle.isEmpty(), obstacle.orElseGet(platform::summary));
    }

    /** The best backend of this machine, with all its processors. */
    public static Backend best() {
        return best(Runtime.getRuntime().availableProcessors());
    }

    /** The best backend, never the simulator; logs one line with the choice and the reason. */
    public static Backend best(int threads) {
        if (CudaPlatform.CUDA.obstacle().isEmpty()) {
            return announce(CudaPlatform.CUDA.open());
        }
        Optional<String> obstacle = VectorProbe.obstacle();
        if (obstacle.isEmpty()) {
            return announce(VectorProbe.open(threads));
        }
        LOG.log(System.Logger.Level.WARNING, "no Vector API kernels: {0}", obstacle.get());
        return announce(new ScalarBackend(threads));
    }

    /** The named backend or an exception with the reason; {@code auto} is {@link #best}. */
    public static Backend of(String name, int threads) {
        return switch (name) {
            case "auto" -> best(threads);
            case "cuda" -> announce(CudaPlatform.CUDA.open());
            case "cuda-sim" -> announce(CudaPlatform.SIMULATOR.open());
            case "reference" -> announce(new ReferenceBackend(threads));
            case "scalar" -> announce(new ScalarBackend(threads));
            case "vector" -> {
                VectorProbe.obstacle().ifPresent(obstacle -> {
                    throw new QuernException("backend vector is not available: " + obstacle);
                });
                yield announce(VectorProbe.open(threads));
            }
            default ->
                throw new ArgumentException("unknown backend '" + name + "'; known are auto, "
                        + String.join(
                                ", ", probe().stream().map(Availability::name).toList()));
        };
    }

    private static Backend announce(Backend backend) {
        LOG.log(System.Logger.Level.DEBUG, "backend {0}: {1}", backend.name(), backend.description());
        return backend;
    }
}
