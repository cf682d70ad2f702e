package io.quern.data;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Random;

/**
 * Seeded mutations of valid files. A parser must answer each with a result or a {@link FormatException}, and allocate no
 * more than a multiple of the input and a constant. {@code -Dfuzz.factor=50} tries that many times more.
 */
final class Fuzz {
    private static final int[] INTERESTING = {0, 1, -1, 0x7fffffff, 0x80000000, 0xffff, 0x10000, 255, 100, 1 << 20};

    /** Parses bytes, on the calling thread. */
    interface Parser {
        void parse(byte[] bytes) throws Exception;
    }

    private Fuzz() {}

    /** @param floor bytes that any parse may allocate, whatever the input */
    static void run(int base, long factor, long floor, Parser parser, byte[]... corpus) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int count = base * Integer.getInteger("fuzz.factor", 1);
        int refused = 0;
        for (int seed = 0; seed < count; seed++) {
            byte[] input = mutate(corpus[seed % corpus.length], new Random(seed));
            long before = threads.getCurrentThreadAllocatedBytes();
            try {
                parser.parse(input);
            } catch (FormatException expected) {
                refused++;
            } catch (Throwable e) {
                throw new AssertionError("mutation " + seed + " (" + input.length + " bytes) let escape " + e, e);
            }
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            long allowed = floor + factor * input.length;
            assertTrue(
                    allocated <= allowed,
                    "mutation " + seed + " allocated " + allocated + " bytes, allowed " + allowed);
        }
        assertTrue(
                refused > count / 20, "only " + refused + " of " + count + " mutations were refused: no test at all");
    }

    private static byte[] mutate(byte[] original, Random random) {
        byte[] bytes = original.clone();
        int changes = 1 + random.nextInt(4);
        for (int i = 0; i < changes && bytes.length > 0; i++) {
            // half of the changes hit the front, where headers are
            int at = random.nextInt(random.nextBoolean() ? bytes.length : Math.min(bytes.length, 64));
            int length = Math.min(bytes.length - at, 1 + random.nextInt(random.nextInt(8) == 0 ? 200 : 8));
            bytes = change(bytes, at, length, random);
        }
        return bytes;
    }

    private static byte[] change(byte[] bytes, int at, int length, Random random) {
        switch (random.nextInt(8)) {
            case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> bytes[at] = (byte) random.nextInt(256);
            case 2 -> {
                int value = INTERESTING[random.nextInt(INTERESTING.length)];
                boolean little = random.nextBoolean();
                for (int i = 0; i < 4 && at + i < bytes.length; i++) {
                    bytes[at + i] = (byte) (value >>> 8 * (little ? i : 3 - i));
                }
            }
            case 3 -> Arrays.fill(bytes, at, at + length, (byte) '9');
            case 4 -> {
                return splice(bytes, at, at + length, new byte[0]);
            }
            case 5 -> {
                byte[] noise = new byte[length];
                random.nextBytes(noise);
                return splice(bytes, at, at, noise);
            }
            case 6 -> {
                return splice(bytes, at, at, Arrays.copyOfRange(bytes, at, at + length));
            }
            default -> {
                return random.nextInt(3) == 0 ? Arrays.copyOf(bytes, at) : bytes;
            }
        }
        return bytes;
    }

    private static byte[] splice(byte[] bytes, int from, int to, byte[] middle) {
        byte[] result = new byte[bytes.length - (to - from) + middle.length];
        System.arraycopy(bytes, 0, result, 0, from);
        System.arraycopy(middle, 0, result, from, middle.length);
        System.arraycopy(bytes, to, result, from + middle.length, bytes.length - to);
        return result;
    }
}
