package io.quern.bench.gpu;

import io.quern.backend.cuda.CudaBackend;
import io.quern.backend.cuda.DeviceTimer;
import io.quern.bench.Contender;
import io.quern.bench.Contest;
import io.quern.bench.OpBench;
import io.quern.bench.QuernStep;
import io.quern.bench.Unavailable;
import io.quern.bench.Verify;
import io.quern.bench.duel.Row;
import io.quern.bench.peer.CudaLibraries;
import io.quern.op.Cost;
import io.quern.tensor.Tensor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.annotations.Param;

/** One row: the arguments of a benchmark class, its implementations on the device, their times in alternation. */
final class GpuRow implements AutoCloseable {
    static final String OURS = "quern-cuda";
    /** By mma.sync also on a Hopper. */
    static final String EVERY_GPU = "quern-cuda-mma";
    /** With launches one after the other, where ours overlap. */
    static final String SERIAL = "quern-cuda-serial";

    /** All implementations of ours. */
    static final List<String> ALL = List.of(OURS, EVERY_GPU, SERIAL);

    private final Row row;
    private final CudaBackend backend;
    private final Map<String, CudaBackend> others;
    private final Contest contest;
    private final Cost cost;
    private final Map<String, Contender> contenders = new LinkedHashMap<>();
    private final List<String> absent = new ArrayList<>();
    private final Map<String, String> wrong = new LinkedHashMap<>();

    /** Seconds of a call: one number per sample, sorted. */
    record Times(String impl, double[] seconds) {
        double median() {
            return seconds[seconds.length / 2];
        }
    }

    /** @param others the same device for those of {@link #ALL} that are not what it does by itself */
    GpuRow(Row row, CudaBackend backend, Map<String, CudaBackend> others) {
        this.row = row;
        this.backend = backend;
        this.others = others;
        OpBench bench = bench(row);
        cost = cost(bench, set(bench, row.parameters()));
        contest = bench.open();
        try {
            (row.impl().isEmpty() ? List.of(OURS) : row.impl()).forEach(this::add);
            verify();
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private static OpBench bench(Row row) {
        try {
            return (OpBench) Class.forName(OpBench.class.getPackageName() + "." + row.bench())
                    .getConstructor()
                    .newInstance();
        } catch (ReflectiveOperationException | ClassCastException e) {
            throw new IllegalArgumentException("there is no benchmark of ops " + row.bench(), e);
        }
    }

    /** The row with all parameters that decide what is computed, those left open too. */
    static Row filled(Row row) {
        Map<String, String> all = set(bench(row), row.parameters());
        all.keySet().removeAll(List.of("impl", "threads"));
        return new Row(row.bench(), all, row.impl());
    }

    /** Of a row as such, also where it cannot run. */
    static Cost cost(Row row) {
        OpBench bench = bench(row);
        return cost(bench, set(bench, row.parameters()));
    }

    private static Cost cost(OpBench bench, Map<String, String> parameters) {
        try {
            return (Cost) bench.getClass().getMethod("cost", Map.class).invoke(null, parameters);
        } catch (InvocationTargetException e) {
            throw e.getCause() instanceof RuntimeException bad ? bad : new IllegalArgumentException(e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException(bench.getClass().getSimpleName() + " has no cost", e);
        }
    }

    /** Implementations of ours that the row asks for. */
    static List<String> ours(Row row) {
        return row.impl().isEmpty()
                ? List.of(OURS)
                : row.impl().stream().filter(ALL::contains).toList();
    }

    /** Fills the benchmark's parameters; what the row leaves open takes its first value. */
    private static Map<String, String> set(OpBench bench, Map<String, String> given) {
        Map<String, String> all = new LinkedHashMap<>();
        for (Field field : bench.getClass().getFields()) {
            Param values = field.getAnnotation(Param.class);
            if (values == null) {
                continue;
            }
            String value = given.getOrDefault(field.getName(), values.value()[0]);
            if (field.getName().equals("threads")) {
                value = Integer.toString(Runtime.getRuntime().availableProcessors()); // of the comparison
            }
            all.put(field.getName(), value);
            try {
                field.set(bench, field.getType() == int.class ? (Object) Integer.valueOf(value) : value);
            } catch (IllegalAccessException e) {
                throw new IllegalArgumentException(field + " cannot be set", e);
            }
        }
        for (String name : given.keySet()) {
            if (!all.containsKey(name)) {
                throw new IllegalArgumentException(
                        bench.getClass().getSimpleName() + " has no parameter " + name + ", only " + all.keySet());
            }
        }
        return all;
    }

    private void add(String impl) {
        try {
            contenders.put(
                    impl,
                    switch (impl) {
                        case OURS -> own();
                        case EVERY_GPU, SERIAL -> otherOwn(impl);
                        default -> peer(impl);
                    });
        } catch (Unavailable e) {
            absent.add(impl + ": " + e.getMessage());
        }
    }

    private Contender own() {
        if (contest.calls().isEmpty()) {
            return contest.contender(backend.name().equals("cuda") ? OURS : "quern-cuda-sim");
        }
        return own(backend);
    }

    private Contender own(CudaBackend on) {
        return new Rotation(contest, on, calls -> () -> calls.forEach(call -> call.on(on)));
    }

    private Contender otherOwn(String impl) {
        if (!others.containsKey(impl)) {
            throw new Unavailable("is " + OURS + " itself on this GPU", null);
        }
        if (contest.calls().isEmpty()) {
            throw new Unavailable("is for single ops", null);
        }
        return own(others.get(impl));
    }

    private Contender peer(String impl) {
        if (!backend.name().equals("cuda")) {
            throw new Unavailable("runs on a GPU only", null);
        }
        if (contest.calls().size() != 1) {
            throw new Unavailable("is a peer of single ops", null);
        }
        return new Rotation(contest, backend, calls -> CudaLibraries.contender(impl, calls.getFirst(), backend));
    }

    /** Compares all with the vector kernels on the host before anything is timed. */
    private void verify() {
        Map<String, Rotation> rotations = new LinkedHashMap<>();
        contenders.forEach((impl, contender) -> {
            if (contender instanceof Rotation rotation) {
                rotations.put(impl, rotation);
            }
        });
        if (rotations.isEmpty()) {
            return; // whole steps, which the contest verifies
        }
        contest.reset();
        contest.runOnHost();
        rotations.forEach((impl, rotation) -> {
            try {
                verify(rotation);
            } catch (IllegalStateException | Unavailable e) {
                contenders.remove(impl);
                rotation.close();
                if (ours(row).contains(impl)) {
                    wrong.put(impl, e.getMessage());
                } else {
                    absent.add(impl + ": " + e.getMessage());
                }
            }
        });
    }

    private void verify(Rotation rotation) {
        int last = rotation.size() - 1;
        for (int turn : last == 0 ? new int[] {0} : new int[] {0, last}) {
            rotation.once(turn);
            List<Tensor> expected = contest.results();
            for (int i = 0; i < expected.size(); i++) {
                try (Tensor actual = rotation.outcome(turn, expected.get(i))) {
                    Verify.close("output " + i, actual, expected.get(i), contest.tolerance());
                }
            }
        }
    }

    Row row() {
        return row;
    }

    Cost cost() {
        return cost;
    }

    /** Implementations of ours with wrong results, and which: left out. */
    Map<String, String> wrong() {
        return wrong;
    }

    /** Implementations that cannot run here, and peers with other results: left out, with the reason. */
    List<String> absent() {
        return absent;
    }

    /** All implementations by turns, in laps: a drift of the clock hits all alike. */
    List<Times> measure(int laps, int samples, double milliseconds) {
        Map<String, List<Double>> all = new LinkedHashMap<>();
        for (int lap = 0; lap < laps; lap++) {
            contenders.forEach((impl, contender) -> {
                try (DeviceTimer timer = timer(contender)) {
                    double once = Math.max(1e-7, timer.seconds(contender::run));
                    int turns = contender instanceof Rotation rotation ? rotation.size() : 1;
                    int calls = (int) Math.clamp(Math.ceil(milliseconds * 1e-3 / once), turns, 100_000);
                    timer.seconds(() -> repeat(contender, calls)); // warms up
                    for (int i = 0; i < samples; i++) {
                        all.computeIfAbsent(impl, name -> new ArrayList<>())
                                .add(timer.seconds(() -> repeat(contender, calls)) / calls);
                    }
                }
            });
        }
        List<Times> times = new ArrayList<>();
        all.forEach((impl, seconds) -> times.add(new Times(
                impl, seconds.stream().mapToDouble(Double::doubleValue).sorted().toArray())));
        return times;
    }

    private static void repeat(Contender contender, int calls) {
        for (int i = 0; i < calls; i++) {
            contender.run();
        }
    }

    private DeviceTimer timer(Contender contender) {
        return switch (contender) {
            case QuernStep step -> ((CudaBackend) step.backend()).timer();
            case Rotation rotation -> rotation.backend().timer();
            default -> backend.timer();
        };
    }

    @Override
    public void close() {
        contenders.values().stream().filter(Rotation.class::isInstance).forEach(Contender::close);
        contest.close();
    }
}
