package io.quern.bench;

import static io.quern.backend.ffi.NativeMemory.ALL;

import io.quern.op.Add;
import io.quern.op.Cost;
import io.quern.op.Scale;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import org.openjdk.jmh.annotations.Param;

/**
 * The bandwidth roof: McCalpin's STREAM kernels on the Vector API, over arrays beyond the caches, and the same sums and products
 * by Quern's ops, whose stores pass by the caches where the machine has such. Bytes are counted as STREAM counts them: what the
 * program reads and writes, without the reads that stores cause.
 */
public class StreamBench extends OpBench {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final float SCALAR = 3;

    /**
     * {@code copy}: c = a; {@code scale}: c = s b; {@code add}: c = a + b; {@code triad}: c = a + s b; {@code scale-op} and
     * {@code add-op}: by Quern's.
     */
    @Param({"copy", "scale", "add", "triad", "scale-op", "add-op"})
    public String kernel;

    /** Elements of each array. */
    @Param("33554432")
    public int size;

    @Override
    protected Contest contest() {
        if (size % 64 != 0) {
            throw new IllegalArgumentException("size is " + size + ", expected a multiple of 64");
        }
        Contest contest = new Contest("stream " + kernel + " " + size, threads);
        Tensor a = contest.empty(Shape.of(size)).fill(1);
        Tensor b = contest.empty(Shape.of(size)).fill(2);
        Tensor c = contest.empty(Shape.of(size)).fill(0);
        if (kernel.equals("scale-op")) {
            return contest.quern(Scale.OP, new Scale.Args(b, c, SCALAR), c).tolerance(0);
        }
        if (kernel.equals("add-op")) {
            return contest.quern(Add.OP, new Add.Args(a, b, c), c).tolerance(0);
        }
        int part = (size / threads) & -64;
        AtomicInteger next = new AtomicInteger();
        Runnable share = () -> {
            int index = Math.floorMod(next.getAndIncrement(), threads);
            long from = 4L * index * part;
            int count = index == threads - 1 ? size - index * part : part;
            move(kernel, a.address() + from, b.address() + from, c.address() + from, count);
        };
        double expected = switch (kernel) {
            case "copy" -> 1;
            case "scale" -> 6;
            case "add" -> 3;
            case "triad" -> 7;
            default -> throw new IllegalArgumentException("kernel is " + kernel);
        };
        return contest.quern(FmaCeilingBench.together(contest, share), () -> c.fill(expected), c)
                .tolerance(0);
    }

    /** Bytes read and written by one call. */
    public static Cost cost(Map<String, String> row) {
        boolean two = row.get("kernel").equals("copy") || row.get("kernel").startsWith("scale");
        return new Cost(0, (two ? 8 : 12) * Double.parseDouble(row.get("size")));
    }

    /** a is 1 and b is 2 everywhere; c takes every result, so that repeated calls do the same. */
    private static void move(String kernel, long a, long b, long c, int count) {
        switch (kernel) {
            case "copy" -> copy(a, c, count);
            case "scale" -> scale(b, c, count);
            case "add" -> add(a, b, c, count);
            default -> triad(a, b, c, count);
        }
    }

    private static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(SPECIES, ALL, address, ByteOrder.nativeOrder());
    }

    private static void store(FloatVector vector, long address) {
        vector.intoMemorySegment(ALL, address, ByteOrder.nativeOrder());
    }

    private static void copy(long a, long c, int count) {
        for (int i = 0; i < count; i += SPECIES.length()) {
            store(load(a + 4L * i), c + 4L * i);
        }
    }

    private static void scale(long b, long c, int count) {
        for (int i = 0; i < count; i += SPECIES.length()) {
            store(load(b + 4L * i).mul(SCALAR), c + 4L * i);
        }
    }

    private static void add(long a, long b, long c, int count) {
        for (int i = 0; i < count; i += SPECIES.length()) {
            store(load(a + 4L * i).add(load(b + 4L * i)), c + 4L * i);
        }
    }

    private static void triad(long a, long b, long c, int count) {
        for (int i = 0; i < count; i += SPECIES.length()) {
            store(load(b + 4L * i).mul(SCALAR).add(load(a + 4L * i)), c + 4L * i);
        }
    }
}
