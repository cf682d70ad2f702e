package io.quern.conformance;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.backend.cuda.CudaBackend;
import io.quern.conformance.GuardedTensors.Layout;
import io.quern.op.Case;
import io.quern.op.Op;
import io.quern.op.OpArgs;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Generates, runs and counts the checks of an op; each failure carries the line that repeats just it. */
final class Suite implements AutoCloseable {
    static final int[] THREADS = {1, 2, 3, 7};

    /** Selects one check by its id. */
    static final String ONLY = System.getProperty("quern.check", "");

    /** Makes every so-manieth check only, where time is short, as under compute-sanitizer. */
    private static final int EVERY = Integer.getInteger("quern.check.every", 1);

    /** True when not every check is made. */
    static final boolean SOME = !ONLY.isEmpty() || EVERY > 1;

    private final Map<String, Backend> backends = new HashMap<>();
    private final List<String> failures = new ArrayList<>();
    private final Map<String, Long> digests = new LinkedHashMap<>();
    private final Digest digest = new Digest();
    private int checks;
    private int seen;

    int checks() {
        return checks;
    }

    List<String> failures() {
        return failures;
    }

    /** Of the results of each check of agreement or threads, by its id, in the order of the checks. */
    Map<String, Long> digests() {
        return digests;
    }

    /** Every agreement check of an op on a backend. */
    <A extends OpArgs> void agreement(Op<A> op, String backend) {
        for (Case<A> c : op.cases()) {
            List<Variant> variants = new ArrayList<>();
            for (DType dtype : op.dtypes()) {
                Variant plain = Variant.plain(backend, dtype);
                variants.add(plain);
                variants.add(plain.layout(Layout.STRIDED).seed(3));
                if (dtype != DType.F64) {
                    variants.add(plain.layout(Layout.MISALIGNED).seed(2));
                    variants.add(plain.special().seed(4));
                    variants.add(plain.threads(1).seed(5));
                }
            }
            for (Variant variant : variants) {
                run(
                        variant.id("agreement", op, c),
                        () -> Agreement.check(
                                op, c, variant, digest.over(backend(variant.backend(), variant.threads()))));
            }
        }
    }

    /** The agreement checks on a device, where a kernel takes the call. */
    <A extends OpArgs> void onDevice(Op<A> op, String device, CudaBackend backend) {
        for (DType dtype : op.dtypes()) {
            if (dtype != DType.F64) {
                int before = checks;
                onDevice(op, Variant.plain(device, dtype).threads(1), backend);
                if (checks == before && !SOME) {
                    failures.add("no case of " + op.name() + " in " + dtype + " is covered by its kernel on " + device);
                }
            }
        }
    }

    private <A extends OpArgs> void onDevice(Op<A> op, Variant plain, CudaBackend backend) {
        for (Case<A> c : op.cases()) {
            for (Variant variant : List.of(
                    plain,
                    plain.layout(Layout.MISALIGNED).seed(2),
                    plain.special().seed(4))) {
                OnDevice executor = new OnDevice(backend, variant.layout() == Layout.MISALIGNED);
                run(variant.id("agreement", op, c), () -> {
                    try {
                        return Agreement.check(op, c, variant, executor);
                    } catch (OnDevice.NotCovered e) {
                        checks--;
                        return Optional.empty();
                    }
                });
            }
        }
    }

    /** Equal bits for any number of threads. */
    <A extends OpArgs> void threads(Op<A> op, String backend) {
        for (Case<A> c : op.cases()) {
            Variant variant = Variant.plain(backend, DType.F32).seed(6);
            double[][][] first = new double[1][][];
            for (int threads : THREADS) {
                run(variant.threads(threads).id("threads", op, c), () -> {
                    if (first[0] == null) {
                        first[0] = Agreement.outputs(op, c, variant, digest.over(backend(backend, THREADS[0])));
                    }
                    double[][] bits = Agreement.outputs(op, c, variant, digest.over(backend(backend, threads)));
                    return Arrays.deepEquals(first[0], bits)
                            ? Optional.empty()
                            : Optional.of("other bits than with " + THREADS[0] + " thread");
                });
            }
        }
    }

    /** Gradients against central differences, and those of BF16 against double. */
    <A extends OpArgs> void gradients(Op<A> op) {
        if (!op.differentiable()) {
            return;
        }
        for (Case<A> c : op.cases()) {
            run(Variant.plain("reference", DType.F64).id("gradient", op, c), () -> GradientCheck.check(op, c, 1));
        }
        narrowGradients(op, "reference", backend("reference", 1));
    }

    /** Gradients of BF16 tensors against those in double. */
    <A extends OpArgs> void narrowGradients(Op<A> op, String name, Backend backend) {
        if (op.differentiable() && op.dtypes().contains(DType.BF16)) {
            for (Case<A> c : op.cases()) {
                run(
                        Variant.plain(name, DType.BF16).id("gradient", op, c),
                        () -> NarrowGradientCheck.check(op, c, backend, backend("reference", 1)));
            }
        }
    }

    /** Bad arguments are refused with the documented text. */
    void rejections(Op<?> op) {
        op.rejections()
                .forEach(rejection -> run("rejection|" + op.name() + "|" + rejection.label(), () -> {
                    try (GuardedTensors tensors =
                            new GuardedTensors(DType.F32, Layout.ALIGNED, GuardedTensors.Values.UNIFORM, 1)) {
                        rejection.call().apply(tensors);
                        return Optional.of("was accepted");
                    } catch (ArgumentException e) {
                        return e.getMessage().contains(rejection.message())
                                ? Optional.empty()
                                : Optional.of("message is '" + e.getMessage() + "', expected '" + rejection.message()
                                        + "' in it");
                    }
                }));
    }

    private void run(String id, Supplier<Optional<String>> check) {
        if (ONLY.isEmpty() ? seen++ % EVERY != 0 : !ONLY.equals(id)) {
            return;
        }
        checks++;
        digest.clear();
        Optional<String> problem;
        try {
            problem = check.get();
        } catch (RuntimeException | AssertionError e) {
            StackTraceElement[] trace = e.getStackTrace();
            problem = Optional.of("threw " + e + (trace.length > 0 ? " at " + trace[0] : ""));
        }
        if (!digest.isEmpty()) {
            digests.put(id, digest.value());
        }
        problem.ifPresent(text -> failures.add(id + "\n    " + text + "\n    repeat: " + repeat(id)));
    }

    private static String repeat(String id) {
        String bits = System.getProperty("quern.vector.bits");
        return "./mvnw -q -pl java/kernels test -Dtest="
                + (id.contains("|cuda") ? "CudaConformanceTest" : "ConformanceTest")
                + (bits == null ? "" : " -Dquern.vector.bits=" + bits) + " '-Dquern.check=" + id + "'";
    }

    private Backend backend(String name, int threads) {
        return backends.computeIfAbsent(name + "/" + threads, key -> Backends.of(name, threads));
    }

    @Override
    public void close() {
        backends.values().forEach(Backend::close);
    }
}
