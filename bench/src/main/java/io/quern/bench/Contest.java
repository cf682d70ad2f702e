package io.quern.bench;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.bench.peer.Library;
import io.quern.op.ArgsMap;
import io.quern.op.Cast;
import io.quern.op.Executor;
import io.quern.op.Fill;
import io.quern.op.Op;
import io.quern.op.OpArgs;
import io.quern.tensor.DType;
import io.quern.tensor.Rng;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;

/**
 * The implementations of one op on one set of arguments. They share the tensors, and each is compared with another one
 * before it is timed: the first peer that is there with Quern, all others with that peer, or with the op's reference
 * when no peer is there.
 */
public final class Contest implements AutoCloseable {
    /** Decides whether the results of a contender are right; throws when not. */
    public interface Check {
        void accept(String contender);
    }

    /** A call of an op. */
    public record OpCall<A extends OpArgs>(Op<A> op, A args) {
        /** Runs or queues it. */
        public void on(Executor executor) {
            executor.run(op, args);
        }

        /** In double, on the host. */
        public void asReference() {
            op.reference(args);
        }

        /** The same call with other tensors. */
        public OpCall<A> with(UnaryOperator<Tensor> tensors) {
            return new OpCall<>(op, ArgsMap.map(args, tensors));
        }
    }

    private static final long PIECE = 1 << 16;

    private record Entry(Library library, Supplier<Contender> create) {}

    private final String what;
    private final int threads;
    private final Backend backend;
    private final List<AutoCloseable> owned = new ArrayList<>();
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final Map<String, Contender> ready = new HashMap<>();
    private final List<Tensor> results = new ArrayList<>();
    private final List<OpCall<?>> calls = new ArrayList<>();
    private Runnable reference;
    private Runnable before = this::spoil;
    private Runnable onHost = this::runCalls;
    private Tolerance tolerance = Tolerance.EXACT;
    private Check check;
    private List<float[]> expected;
    private String expectedFrom;

    public Contest(String what, int threads) {
        this.what = what;
        this.threads = threads;
        this.backend = own(Backends.of("vector", threads));
    }

    public int threads() {
        return threads;
    }

    /** Closed with the contest. */
    public <T extends AutoCloseable> T own(T resource) {
        owned.add(resource);
        return resource;
    }

    /** Seeded, uniform in [-1, 1). */
    public Tensor random(int stream, Shape shape) {
        Tensor tensor = empty(shape);
        Rng rng = Rng.of(42).stream(stream);
        // by all cores: for the large tensors of a GPU's rows one would need longer than the measurement
        LongStream.range(0, Math.ceilDiv(tensor.elements(), PIECE)).parallel().forEach(piece -> {
            long end = Math.min((piece + 1) * PIECE, tensor.elements());
            for (long i = piece * PIECE; i < end; i++) {
                tensor.set(i, 2 * rng.uniform(i) - 1);
            }
        });
        return tensor;
    }

    public Tensor empty(Shape shape) {
        return own(Tensor.allocate(DType.F32, shape));
    }

    /** Sets all elements of a real tensor, by the vector kernels where they can. */
    public Tensor fill(Tensor tensor, double value) {
        backend.run(Fill.OP, new Fill.Args(tensor, value));
        return tensor;
    }

    /** Quern's own entry, and its reference for the comparison. */
    public <A extends OpArgs> Contest quern(Op<A> op, A args, Tensor... compared) {
        return quern(List.of(new OpCall<>(op, args)), compared);
    }

    /** Quern's entry where it is more than one op. */
    public Contest quern(List<OpCall<?>> sequence, Tensor... compared) {
        calls.addAll(sequence);
        return quern(
                () -> sequence.forEach(call -> call.on(backend)),
                () -> sequence.forEach(OpCall::asReference),
                compared);
    }

    /** Quern's entry where it is not a sequence of ops. */
    public Contest quern(Runnable run, Runnable comparison, Tensor... compared) {
        reference = comparison;
        results.addAll(List.of(compared));
        return add("quern", Library.NONE, () -> run::run);
    }

    /** Quern's ops, for devices that run them on copies of the tensors; empty where it is not a sequence of ops. */
    public List<OpCall<?>> calls() {
        return List.copyOf(calls);
    }

    /** What is compared. */
    public List<Tensor> results() {
        return List.copyOf(results);
    }

    public Tolerance tolerance() {
        return tolerance;
    }

    /** Sets the tensors to what a call starts from. */
    public void reset() {
        before.run();
    }

    /** What is compared, for contenders that are all added by name. */
    public Contest compared(Tensor... tensors) {
        results.addAll(List.of(tensors));
        return this;
    }

    public Backend backend() {
        return backend;
    }

    public Contest add(String name, Library library, Supplier<Contender> create) {
        entries.put(name, new Entry(library, create));
        return this;
    }

    /** |actual - expected| <= tolerance x (1 + |expected|), for every element of every compared tensor. */
    public Contest tolerance(double both) {
        return tolerance(both, both);
    }

    /** |actual - expected| <= absolute + relative x |expected|, for results that are far smaller than 1. */
    public Contest tolerance(double absolute, double relative) {
        tolerance = new Tolerance(absolute, relative);
        return this;
    }

    /** Sets the results to what an op that updates in place starts from; without it they are NaN before a comparison. */
    public Contest before(Runnable reset) {
        before = reset;
        return this;
    }

    /**
     * Exchanges tensors of the ops for BF16 ones of the same values, to which the originals are rounded. The host has no kernels for
     * them: there the ops run on the originals, and their results are rounded. To be called last; the tolerance grows by the
     * rounding of results, and peers, which know only the originals, are left out.
     */
    public Contest inBf16(Tensor... exchanged) {
        Map<Tensor, Tensor> narrow = new IdentityHashMap<>();
        for (Tensor tensor : exchanged) {
            Tensor half = own(Tensor.allocate(DType.BF16, tensor.shape()));
            convert(tensor, half);
            convert(half, tensor);
            narrow.put(tensor, half);
        }
        List<OpCall<?>> full = List.copyOf(calls);
        List<Tensor> fullResults = List.copyOf(results);
        calls.replaceAll(call -> call.with(tensor -> narrow.getOrDefault(tensor, tensor)));
        results.replaceAll(tensor -> narrow.getOrDefault(tensor, tensor));
        onHost = () -> {
            full.forEach(call -> call.on(backend));
            fullResults.stream().filter(narrow::containsKey).forEach(result -> convert(result, narrow.get(result)));
        };
        reference = onHost;
        check = null;
        if (fullResults.stream().anyMatch(narrow::containsKey)) {
            tolerance = tolerance.inBf16();
        }
        entries.clear();
        return add("quern", Library.NONE, () -> this::runCalls);
    }

    /** Into another dtype, by the vector kernels where they can. */
    private void convert(Tensor from, Tensor to) {
        backend.run(Cast.OP, new Cast.Args(from, to));
    }

    /** How the host makes the results that devices are compared with, where its kernels do not take the op itself. */
    public Contest onHost(Runnable run) {
        onHost = run;
        return this;
    }

    /** Makes the results on the host. */
    public void runOnHost() {
        onHost.run();
    }

    /** Instead of the comparison, where results are random. */
    public Contest check(Check of) {
        check = of;
        return this;
    }

    /** Verified and warm; the same object for every later call. */
    public Contender contender(String impl) {
        String name = impl == null ? "quern" : impl;
        Entry entry = entries.get(name);
        if (entry == null) {
            throw new IllegalArgumentException("impl is " + name + ", expected one of " + entries.keySet());
        }
        entry.library.use(threads);
        return ready.computeIfAbsent(name, key -> {
            Contender contender = entry.create.get();
            verify(name, contender);
            if ((name.equals("quern") || name.equals("quern-plain")) && !Boolean.getBoolean("quern.bench.cold")) {
                Warmth.reach(contender);
            }
            return contender;
        });
    }

    private void verify(String name, Contender contender) {
        if (check != null) {
            before.run();
            contender.run();
            contender.publish();
            check.accept(name);
            return;
        }
        if (expected == null) {
            expect();
        }
        List<float[]> other = expected;
        if (name.equals(expectedFrom)) {
            try (Contender quern = entries.get("quern").create.get()) {
                other = outcome(quern);
            }
        }
        List<float[]> actual = outcome(contender);
        for (int i = 0; i < actual.size(); i++) {
            Verify.close(what + " by " + name + ", output " + i, actual.get(i), other.get(i), tolerance);
        }
    }

    private void expect() {
        for (Map.Entry<String, Entry> entry : entries.entrySet()) {
            Library library = entry.getValue().library;
            if (library != Library.NONE && library.missing() == null) {
                library.use(threads);
                try (Contender peer = entry.getValue().create.get()) {
                    expected = outcome(peer);
                    expectedFrom = entry.getKey();
                    return;
                } catch (Unavailable next) {
                    System.err.println(what + ": " + next.getMessage());
                }
            }
        }
        before.run();
        if (reference == null) {
            try (Contender quern = entries.get("quern").create.get()) {
                expected = outcome(quern);
            }
            return;
        }
        reference.run();
        expected = results.stream().map(Tensor::toFloats).toList();
    }

    private List<float[]> outcome(Contender contender) {
        before.run();
        contender.run();
        contender.publish();
        return results.stream().map(Tensor::toFloats).toList();
    }

    private void runCalls() {
        calls.forEach(call -> call.on(backend));
    }

    private void spoil() {
        results.forEach(result -> {
            if (result.dtype().isReal()) {
                fill(result, Double.NaN);
            } else {
                result.fill(Integer.MIN_VALUE);
            }
        });
    }

    @Override
    public void close() {
        ready.values().forEach(Contender::close);
        ready.clear();
        for (AutoCloseable resource : owned.reversed()) {
            try {
                resource.close();
            } catch (Exception e) {
                throw new IllegalStateException("closing " + what, e);
            }
        }
        owned.clear();
    }
}
