package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;
import io.quern.op.DropoutMask;
import io.quern.tensor.Philox;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Dropout as machine code, for x86-64 with AVX-512: draws, comparison and product of 64 elements a step, one Philox block of eight draws
 * per 64-bit lane as in {@link PhiloxVector}, with the bits of {@link DropoutVector}. Of a block's counter only the lowest word differs
 * from that of its neighbours, so that half of the first two rounds is done before the loop, as in {@link DropoutBits}. What Java cannot
 * express: a comparison whose mask leaves lanes out of a product at once, and stores that pass by the caches.
 */
final class DropoutCode {
    /** Elements of a step of a chain of rounds. */
    private static final int STEP = 64;
    /** Chains side by side: one alone would leave the multipliers waiting. */
    private static final int CHAINS = 3;
    /** The same where bits are all that comes of them: as {@link DropoutBits} rounds up to. */
    private static final int BIT_CHAINS = 4;
    /** Elements of a call: some microseconds, see {@link MachineCode#brief}. */
    private static final int MOST = 64 * CHAINS * STEP;

    private static final int BLOCKS = 8, DRAWS = 8, QUARTER = STEP / 4;
    private static final long LOW = 0xffffffffL;

    /** Where in the argument the numbers of a call are, in bytes. */
    private static final int X = 0, Y = 8, STEPS = 16, LIVE = 24, SCALE = 32, LIMIT = 36, FACTOR_0 = 40, FACTOR_1 = 48;

    private static final int NEXT = 56, SECOND_2 = 64, THIRD_0 = 72, THIRD_2 = 80, FOURTH_2 = 88, KEYS = 96;
    private static final int COUNTERS = 256, LOWER = 320, UPPER = 384;
    /** Bytes of it, behind which {@link #bits} has a table: each group's first block. */
    static final int ARGUMENT = 448;

    /** Bytes from what is read of x to what is asked for. */
    private static final int AHEAD = 8192;
    /** Rounds that the loop does in full, from the third on. */
    private static final int EARLY = 2;

    /** Vector registers; the others hold words of blocks. */
    private static final int COUNTER = 0,
            TIMES_0 = 1,
            TIMES_1 = 2,
            OF_LOWER = 3,
            OF_UPPER = 4,
            BOUND = 5,
            FACTOR = 6,
            WORDS = 7;
    /** Masks: lanes of elements, of the live ones, and every second one. */
    private static final int KEPT = 1, OTHERS = 2, ALIVE = 5, EVEN = 6;

    private static final MachineCode STORED = make(CHAINS, false, false),
            STREAMED = make(CHAINS, true, false),
            LAST = make(1, false, true);
    private static final MachineCode BITS = makeBits();

    private DropoutCode() {}

    /** Whether {@link #run} can do a run of elements. */
    static boolean covers(long from, int count) {
        return STORED != null
                && STREAMED != null
                && LAST != null
                && from % DRAWS == 0
                && from / DRAWS >>> 32 == (from + count) / DRAWS >>> 32;
    }

    /**
     * A run of elements: y = scale x, or 0.
     *
     * @param from the run's first element in the draws
     * @param past whether whole steps of y, on a cache line then, pass by the caches
     * @param argument {@link #ARGUMENT} bytes
     */
    static void run(DropoutMask mask, long from, long x, long y, int count, boolean past, long argument) {
        prepare(mask, from / DRAWS, argument);
        int whole = count - count % (CHAINS * STEP);
        for (int at = 0, some; at < whole; at += some) {
            some = Math.min(MOST, whole - at);
            set(argument + X, x + (long) Float.BYTES * at);
            set(argument + Y, y + (long) Float.BYTES * at);
            set(argument + STEPS, some / (CHAINS * STEP));
            (past ? STREAMED : STORED).run(argument, 0, 0, 0, 0, 0);
        }
        for (long at = whole; at < count; at += STEP) {
            set(argument + X, x + (long) Float.BYTES * at);
            set(argument + Y, y + (long) Float.BYTES * at);
            set(argument + STEPS, 1);
            set(argument + LIVE, -1L >>> STEP - (int) Math.min(STEP, count - at));
            LAST.run(argument, 0, 0, 0, 0, 0);
        }
    }

    /** Whether there is {@link #bits}. */
    static boolean hasBits() {
        return BITS != null;
    }

    /** Bytes of argument that {@link #bits} of so many elements needs. */
    static long bitsArgument(long elements) {
        return ARGUMENT + DropoutBits.bytes(elements);
    }

    /** As {@link DropoutBits#fill}, of some thousand elements: see {@link MachineCode#brief}. */
    static void bits(DropoutMask mask, long first, long along, int rows, int columns, long bits, long argument) {
        prepare(mask, first / DRAWS, argument);
        for (int lane = 0; lane < BLOCKS; lane++) {
            set(argument + COUNTERS + 8L * lane, lane);
        }
        long table = argument + ARGUMENT;
        for (int i = 0; i < rows; i++) {
            long block = (first + i * along) / DRAWS;
            for (int j = 0; j < columns; j += STEP, block += BLOCKS, table += 8) {
                set(table, block & LOW);
            }
        }
        set(argument + X, argument + ARGUMENT);
        set(argument + Y, bits);
        set(argument + STEPS, DropoutBits.bytes((long) rows * columns) / (8 * BIT_CHAINS));
        BITS.run(argument, 0, 0, 0, 0, 0);
    }

    private static MachineCode makeBits() {
        if (!VectorAssembler.isWanted()) {
            return null;
        }
        VectorAssembler code = new VectorAssembler();
        code.everySecond(EVEN);
        int step = begin(code);
        int[][] blocks = words(BIT_CHAINS);
        for (int chain = 0; chain < BIT_CHAINS; chain++) {
            code.addLongs(blocks[chain][3], COUNTER, Address.of(RAX, 8 * chain));
            code.multiplyHalves(blocks[chain][3], blocks[chain][3], TIMES_0);
        }
        writeBlocks(code, blocks);
        for (int chain = 0; chain < BIT_CHAINS; chain++) {
            writeDraws(code, blocks[chain]);
            for (int half = 0; half < 2; half++) {
                code.shortsBelow(KEPT, blocks[chain][half == 0 ? 4 : 1], BOUND);
                code.storeMask(KEPT, Address.of(RCX, 8 * chain + 4 * half));
            }
        }
        code.lea(RAX, Address.of(RAX, 8 * BIT_CHAINS));
        code.lea(RCX, Address.of(RCX, 8 * BIT_CHAINS));
        code.decrement(RDX);
        code.jumpUnlessZero(step);
        code.end();
        return code.brief();
    }

    /** What depends on the first block and the key alone. */
    private static void prepare(DropoutMask mask, long block, long argument) {
        setInt(argument + SCALE, Float.floatToRawIntBits(mask.scale()));
        setInt(argument + LIMIT, mask.threshold());
        set(argument + FACTOR_0, Philox.M0 & LOW);
        set(argument + FACTOR_1, Philox.M1 & LOW);
        set(argument + NEXT, BLOCKS);
        int k0 = (int) mask.rng().seed(), k1 = (int) (mask.rng().seed() >>> 32);
        // the first round: of the words only the third is not the same for all blocks
        long product = (mask.rng().step() & LOW) * (Philox.M1 & LOW);
        long first0 = product >>> 32 ^ block >>> 32 ^ k0 & LOW, first1 = product & LOW;
        set(argument + SECOND_2, (mask.rng().stream() ^ k1) & LOW);
        k0 += Philox.W0;
        k1 += Philox.W1;
        // the second: of its products the one of the first word
        product = (first0 & LOW) * (Philox.M0 & LOW);
        set(argument + THIRD_0, (first1 ^ k0) & LOW);
        set(argument + THIRD_2, (product >>> 32 ^ k1) & LOW);
        for (int round = EARLY; round < Philox.ROUNDS; round++) {
            k0 += Philox.W0;
            k1 += Philox.W1;
            set(argument + KEYS + 16L * (round - EARLY), k0 & LOW);
            set(argument + KEYS + 16L * (round - EARLY) + 8, k1 & LOW);
            if (round == EARLY) {
                set(argument + FOURTH_2, (product ^ k1) & LOW);
            }
        }
        for (int lane = 0; lane < BLOCKS; lane++) {
            set(argument + COUNTERS + 8L * lane, (block & LOW) + lane);
            // by turns words 0 and 1 of a block, then its words 2 and 3
            set(argument + LOWER + 8L * lane, lane / 2 + lane % 2 * BLOCKS);
            set(argument + UPPER + 8L * lane, lane / 2 + lane % 2 * BLOCKS + BLOCKS / 2);
        }
    }

    /**
     * @param past whether results pass by the caches
     * @param last whether some lanes are behind the end
     */
    private static MachineCode make(int chains, boolean past, boolean last) {
        if (!VectorAssembler.isWanted()) {
            return null;
        }
        VectorAssembler code = new VectorAssembler();
        code.everySecond(EVEN);
        int step = begin(code);
        int[][] blocks = words(chains);
        for (int[] r : blocks) {
            code.multiplyHalves(r[3], COUNTER, TIMES_0);
            code.addLongs(COUNTER, COUNTER, argument(NEXT));
        }
        writeBlocks(code, blocks);
        for (int chain = 0; chain < chains; chain++) {
            writeElements(code, blocks[chain], chain * STEP * Float.BYTES, past, last);
        }
        code.lea(RAX, Address.of(RAX, chains * STEP * Float.BYTES));
        code.lea(RCX, Address.of(RCX, chains * STEP * Float.BYTES));
        code.decrement(RDX);
        code.jumpUnlessZero(step);
        code.storeVector(COUNTER, argument(COUNTERS), 0);
        if (past) {
            code.fence();
        }
        code.end();
        return code.brief();
    }

    /** Loads what a step needs; returns where it begins. */
    private static int begin(VectorAssembler code) {
        code.load(RAX, argument(X));
        code.load(RCX, argument(Y));
        code.load(RDX, argument(STEPS));
        code.loadVector(COUNTER, argument(COUNTERS));
        code.broadcastLong(TIMES_0, argument(FACTOR_0));
        code.broadcastLong(TIMES_1, argument(FACTOR_1));
        code.loadVector(OF_LOWER, argument(LOWER));
        code.loadVector(OF_UPPER, argument(UPPER));
        code.broadcastShort(BOUND, argument(LIMIT));
        code.broadcast(FACTOR, argument(SCALE));
        return code.here();
    }

    /** Registers of chains, six each. */
    private static int[][] words(int chains) {
        return IntStream.range(0, chains)
                .mapToObj(chain -> IntStream.range(WORDS + 6 * chain, WORDS + 6 * chain + 6)
                        .toArray())
                .toArray(int[][]::new);
    }

    /** From the words of a chain's blocks, in the first four registers, the draws: the lower half in the fifth, the upper one in the second. */
    private static void writeDraws(VectorAssembler code, int[] words) {
        int c0 = words[0], c1 = words[1], c2 = words[2], c3 = words[3], lower = words[4];
        // words 0 and 1 side by side, and words 2 and 3
        code.shiftLongsLeft(c1, c1, 32);
        code.moveWhere(c1, c0, EVEN);
        code.shiftLongsLeft(c3, c3, 32);
        code.moveWhere(c3, c2, EVEN);
        code.moveVector(lower, c1);
        code.selectLongs(lower, OF_LOWER, c3);
        code.selectLongs(c1, OF_UPPER, c3);
    }

    /** The elements of a chain's blocks, whose words are in the first four registers. */
    private static void writeElements(VectorAssembler code, int[] words, int first, boolean past, boolean last) {
        writeDraws(code, words);
        int c0 = words[0], c1 = words[1], lower = words[4];
        for (int quarter = 0; quarter < 4; quarter++) {
            int kept = quarter % 2 == 0 ? KEPT : OTHERS, offset = first + quarter * Lanes.BYTES;
            if (quarter % 2 == 0) {
                code.shortsNotBelow(KEPT, quarter == 0 ? lower : c1, BOUND);
                code.upperHalf(OTHERS, KEPT);
            }
            if (last) {
                code.loadMask(ALIVE, argument(LIVE + quarter * QUARTER / 8));
                code.andMasks(kept, kept, ALIVE);
            }
            if (!last) {
                code.prefetchIntoFirst(Address.of(RAX, offset + AHEAD));
            }
            code.multiplyOrZero(c0, FACTOR, Address.of(RAX, offset), kept);
            if (past) {
                code.streamVector(c0, Address.of(RCX, offset));
            } else {
                code.storeVector(c0, Address.of(RCX, offset), last ? ALIVE : 0);
            }
        }
    }

    /**
     * Eight blocks in each chain, side by side, whose counters times the first factor are in the fourth of its six registers: their words 0 to
     * 3 to the first four.
     */
    private static void writeBlocks(VectorAssembler code, int[][] chains) {
        each(chains, r -> code.shiftLongsRight(r[2], r[3], 32));
        each(chains, r -> code.xorLongs(r[2], r[2], argument(SECOND_2)));
        each(chains, r -> code.multiplyHalves(r[1], r[2], TIMES_1));
        each(chains, r -> code.shiftLongsRight(r[0], r[1], 32));
        each(chains, r -> code.xorLongs(r[0], r[0], argument(THIRD_0)));
        each(chains, r -> code.xorLongs(r[2], r[3], argument(THIRD_2)));
        for (int round = EARLY; round < Philox.ROUNDS; round++) {
            Address key0 = argument(KEYS + 16 * (round - EARLY)), key1 = argument(KEYS + 16 * (round - EARLY) + 8);
            boolean first = round == EARLY;
            each(chains, r -> code.multiplyHalves(r[4], r[0], TIMES_0));
            each(chains, r -> code.multiplyHalves(r[5], r[2], TIMES_1));
            each(chains, r -> code.shiftLongsRight(r[0], r[5], 32));
            each(chains, r -> code.xorBoth(r[0], r[1], key0));
            each(chains, r -> code.shiftLongsRight(r[2], r[4], 32));
            if (first) {
                each(chains, r -> code.xorLongs(r[2], r[2], argument(FOURTH_2)));
            } else {
                each(chains, r -> code.xorBoth(r[2], r[3], key1));
            }
            // the products are words 3 and 1
            for (int[] r : chains) {
                int free1 = r[1], free3 = r[3];
                r[1] = r[5];
                r[3] = r[4];
                r[4] = free3;
                r[5] = free1;
            }
        }
    }

    private static void each(int[][] chains, Consumer<int[]> instruction) {
        for (int[] registers : chains) {
            instruction.accept(registers);
        }
    }
}
