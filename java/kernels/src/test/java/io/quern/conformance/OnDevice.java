package io.quern.conformance;

import io.quern.backend.cuda.CudaBackend;
import io.quern.op.ArgsMap;
import io.quern.op.Executor;
import io.quern.op.Op;
import io.quern.op.OpArgs;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Shape;
import io.quern.tensor.Storage;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Lets the harness, whose tensors are on the host, check a device: copies them there between guard zones, runs, copies
 * what was written back.
 */
final class OnDevice implements Executor {
    private static final int GUARD = 64;
    private static final int PATTERN = 0x5A5AA5A5;

    private final CudaBackend backend;
    private final boolean misaligned;

    /** @param misaligned tensors start one element, of at most four bytes, behind a 16-byte boundary */
    OnDevice(CudaBackend backend, boolean misaligned) {
        this.backend = backend;
        this.misaligned = misaligned;
    }

    /** A tensor on the device, with pattern words in front and behind. */
    private record Copy(Storage storage, Tensor all, Tensor tensor) {}

    /** The op has no kernel for such a call. */
    static final class NotCovered extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    @Override
    public <A extends OpArgs> void run(Op<A> op, A args) {
        Map<Tensor, Copy> copies = new IdentityHashMap<>();
        try {
            A placed = ArgsMap.map(args, tensor -> {
                Copy copy = place(tensor);
                copies.put(tensor, copy);
                return copy.tensor;
            });
            if (!backend.covers(op, placed)) {
                throw new NotCovered();
            }
            backend.run(op, placed);
            args.outputs().forEach(output -> output.copyFrom(copies.get(output).tensor));
            copies.forEach(OnDevice::checkGuards);
        } finally {
            copies.values().forEach(copy -> copy.storage.close());
        }
    }

    private Copy place(Tensor tensor) {
        int bytes = tensor.dtype().bytes();
        int shift = misaligned && bytes <= Integer.BYTES ? 1 : 0;
        int words = Math.toIntExact(Math.ceilDiv((tensor.elements() + shift) * bytes, Integer.BYTES));
        Storage storage = backend.memory().allocate((long) (GUARD + words + GUARD) * Integer.BYTES);
        Tensor all = Tensor.over(storage, DType.I32, Shape.of(GUARD + words + GUARD));
        int[] pattern = new int[GUARD + words + GUARD];
        Arrays.fill(pattern, PATTERN);
        all.copyFrom(pattern);
        long first = (long) GUARD * Integer.BYTES / bytes + shift;
        Tensor window = Tensor.over(storage, tensor.dtype(), Shape.of(storage.byteSize() / bytes))
                .slice(0, first, first + tensor.elements())
                .reshape(tensor.shape());
        return new Copy(storage, all, window.copyFrom(tensor));
    }

    private static void checkGuards(Tensor host, Copy copy) {
        int[] words = copy.all.toInts();
        long start = copy.tensor.address() - copy.storage.address();
        long end = start + host.elements() * host.dtype().bytes();
        List<Long> damaged = new ArrayList<>();
        for (long at = 0; at < (long) words.length * Integer.BYTES; at++) {
            // devices are little-endian, as this host must be
            int shift = (int) (at % Integer.BYTES) * Byte.SIZE;
            if ((at < start || at >= end)
                    && (byte) (words[(int) (at / Integer.BYTES)] >> shift) != (byte) (PATTERN >> shift)) {
                damaged.add(at - start);
            }
        }
        if (!damaged.isEmpty()) {
            throw new AssertionError("wrote outside " + host + " on the device, at bytes " + damaged);
        }
    }

    @Override
    public Memory memory() {
        return Memory.host();
    }
}
