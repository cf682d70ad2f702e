package io.quern.bench.gpu;

import io.quern.backend.cuda.CudaBackend;
import io.quern.bench.Contender;
import io.quern.bench.Contest;
import io.quern.bench.Contest.OpCall;
import io.quern.op.OpArgs;
import io.quern.tensor.Memory;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * An implementation on several copies of its tensors, one after the other: what a call reads was last touched so many
 * bytes ago that no cache holds it.
 */
final class Rotation implements Contender {
    /** Copies pass this many times the L2 cache together. */
    private static final int CACHES = 2;

    private static final int MOST = 64;
    private static final double LARGEST_PART = 0.25;

    private final CudaBackend backend;
    private final List<Map<Tensor, Tensor>> copies = new ArrayList<>();
    private final List<Contender> turns = new ArrayList<>();
    private int next;

    /** @param make from the calls on device tensors to what runs them */
    Rotation(Contest contest, CudaBackend backend, Function<List<OpCall<?>>, Contender> make) {
        this.backend = backend;
        contest.reset();
        try {
            int count = count(contest, backend);
            for (int i = 0; i < count; i++) {
                Map<Tensor, Tensor> copy = new IdentityHashMap<>();
                copies.add(copy);
                List<OpCall<?>> calls = new ArrayList<>();
                contest.calls()
                        .forEach(call -> calls.add(call.with(
                                tensor -> copy.computeIfAbsent(tensor, host -> host.copyTo(backend.memory())))));
                turns.add(make.apply(calls));
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private static int count(Contest contest, CudaBackend backend) {
        Set<Tensor> tensors = Collections.newSetFromMap(new IdentityHashMap<>());
        for (OpCall<?> call : contest.calls()) {
            OpArgs args = call.args();
            tensors.addAll(args.inputs());
            tensors.addAll(args.outputs());
        }
        double bytes = Math.max(
                1,
                tensors.stream()
                        .mapToDouble(t -> (double) t.elements() * t.dtype().bytes())
                        .sum());
        double beyond = Math.ceil(CACHES * backend.cacheBytes() / bytes) + 1;
        double room = Math.floor(LARGEST_PART * backend.memoryBytes() / bytes);
        return (int) Math.max(1, Math.min(Math.min(beyond, room), Integer.getInteger("quern.bench.rotations", MOST)));
    }

    /** Where it runs. */
    CudaBackend backend() {
        return backend;
    }

    /** How many copies there are. */
    int size() {
        return turns.size();
    }

    @Override
    public void run() {
        turns.get(next).run();
        next = (next + 1) % turns.size();
    }

    /** One call of a turn, from the initial values of its tensors. */
    void once(int turn) {
        turns.get(turn).run();
        turns.get(turn).publish();
    }

    /** What a turn's copy of a tensor holds now: on the host, to be closed. */
    Tensor outcome(int turn, Tensor result) {
        return copies.get(turn).get(result).copyTo(Memory.host());
    }

    @Override
    public void close() {
        turns.forEach(Contender::close);
        copies.forEach(copy -> copy.values().forEach(Tensor::close));
        turns.clear();
        copies.clear();
    }
}
