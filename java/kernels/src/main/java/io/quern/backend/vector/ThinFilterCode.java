package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.*;
import static io.quern.backend.vector.VectorAssembler.*;

import io.quern.backend.ffi.MachineCode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;

/**
 * What {@link ThinFilterGradient} does with a band of an image as machine code, for x86-64 with AVX-512, with the same bits (but for which
 * of two NaN is passed on): rows of dy as planes, whole vectors with zeros behind the pixels, then five taps times three planes, lane by
 * lane.
 */
final class ThinFilterCode {
    static final int TAPS = 5, PLANES = 3;
    /**
     * Multiply-adds of vectors in a call: some microseconds, see {@link MachineCode#brief}; one group of taps is the least, of at most so
     * many.
     */
    private static final int WORK = 1 << 14, MOST = 1 << 15;

    /** Where in the argument the numbers of a call are, in bytes. */
    private static final int DY = 0, DY_ROW = 8, PLANE = 16, TURNED = 24, WHOLE = 32, PART = 40, MASKS = 48;

    private static final int COPY = 56, LINES = 64, VECTORS = 72, SKIP = 80, PLANES_AT = 88, GROUPS = 96, OFFSETS = 104;
    private static final int TAP_GROUPS = 112, SUMS = 120, ARGUMENT = 128;

    /**
     * Vector registers of the turning: those of k channels from 0 on, then these; of the sums, which are from 0 on: pixels of planes and of
     * taps.
     */
    private static final int SPARE = 8, SIGNAL = 15, PIXELS = 18;

    private static final int[] TAP = {RAX, RBX, RCX, RDX, R8};

    private static final Scratch ARGUMENTS = new ThreadScratch();
    /** By channels, made when first asked for. */
    private static final MachineCode[] CODES = new MachineCode[PlaneWeave.MOST + 1];

    private final MachineCode code;
    private final int k, pixels, vectors, tapGroups, planeGroups;
    /** The offsets of taps, then the masks of the vectors of dy that are read last. */
    private final MemorySegment table;

    private ThinFilterCode(MachineCode code, long[] taps, int k, int pixels) {
        this.code = code;
        this.k = k;
        this.pixels = pixels;
        vectors = Math.ceilDiv(pixels, Lanes.FLOATS);
        tapGroups = taps.length / TAPS;
        planeGroups = Math.ceilDiv(k, PLANES);
        long offsets = 8L * taps.length;
        table = Arena.ofAuto().allocate(offsets + 4L * k, 8);
        MemorySegment.copy(taps, 0, table, ValueLayout.JAVA_LONG, 0, taps.length);
        for (int i = 0; i < k; i++) {
            int live = Math.clamp(pixels % Lanes.FLOATS * k - i * Lanes.FLOATS, 0, Lanes.FLOATS);
            table.set(ValueLayout.JAVA_INT, offsets + 4L * i, (1 << live) - 1);
        }
    }

    /**
     * Null on other machines and systems, and for bands that a call would take too long for.
     *
     * @param taps where a tap's pixels lie behind those of the result, in groups of five
     * @param pixels of a row of dy
     * @param lines rows of a band at most
     */
    static ThinFilterCode of(long[] taps, int k, int pixels, int lines) {
        boolean fits = VectorAssembler.isWanted()
                && k <= PlaneWeave.MOST
                && work(k, Math.ceilDiv(pixels, Lanes.FLOATS), lines) <= MOST;
        MachineCode code = fits ? code(k) : null;
        return code == null ? null : new ThinFilterCode(code, taps, k, pixels);
    }

    /** Of a group of taps. */
    private static long work(int k, int vectors, int lines) {
        return (long) TAPS * PLANES * Math.ceilDiv(k, PLANES) * vectors * lines;
    }

    private static synchronized MachineCode code(int k) {
        if (CODES[k] == null) {
            CODES[k] = new Writer(k).write();
        }
        return CODES[k];
    }

    /**
     * Adds to the sums of a chunk what a band brings.
     *
     * @param dy its first row; the others follow
     * @param copy what the taps of the first row are offsets from
     * @param row bytes from row to row of that
     * @param planes where those of dy go, {@code plane} bytes apart; as many as whole tiles have are read
     * @param sums 15 vectors per group of taps and, within, of planes
     */
    void add(long dy, int lines, long copy, long row, long planes, long plane, long sums) {
        long argument = ARGUMENTS.address(ARGUMENT);
        set(argument + DY, dy);
        set(argument + DY_ROW, 4L * pixels * k);
        set(argument + PLANE, plane);
        set(argument + TURNED, lines);
        set(argument + WHOLE, pixels / Lanes.FLOATS);
        set(argument + PART, pixels % Lanes.FLOATS == 0 ? 0 : 1);
        set(argument + MASKS, table.address() + 8L * tapGroups * TAPS);
        set(argument + COPY, copy);
        set(argument + LINES, lines);
        set(argument + VECTORS, vectors);
        set(argument + SKIP, row - (long) vectors * Lanes.BYTES);
        set(argument + PLANES_AT, planes);
        set(argument + GROUPS, planeGroups);
        set(argument + OFFSETS, table.address());
        set(argument + SUMS, sums);
        int most = (int) Math.max(1, WORK / work(k, vectors, lines));
        for (int left = tapGroups; left > 0; left -= most) {
            set(argument + TAP_GROUPS, Math.min(most, left));
            code.run(argument, 0, 0, 0, 0, 0);
            set(argument + TURNED, 0);
        }
        Reference.reachabilityFence(this);
    }

    private static final class Writer {
        private final VectorAssembler code = new VectorAssembler();
        private final int k;
        private final PlaneWeave weave;

        Writer(int k) {
            this.k = k;
            code.push(RBX, RBP, R12, R13, R14, R15);
            weave = PlaneWeave.toPlanes(code, k, R14);
        }

        MachineCode write() {
            writeTurn();
            writeSums();
            code.pop(R15, R14, R13, R12, RBP, RBX);
            code.end();
            return code.brief();
        }

        /** A row of dy in r12, its next pixels in rsi; where they go in rdx, three planes on in r10; a plane is r8, three are r9. */
        private void writeTurn() {
            code.load(R11, argument(TURNED));
            int behind = code.jumpIfZero(R11);
            code.load(R12, argument(DY));
            code.load(RDX, argument(PLANES_AT));
            code.load(R8, argument(PLANE));
            code.lea(R9, Address.of(R8, R8, 2));
            code.load(RCX, argument(MASKS));
            int row = code.here();
            code.lea(RSI, Address.of(R12, 0));
            code.loop(argument(WHOLE), () -> {
                writePlanes(false);
                code.lea(RSI, Address.of(RSI, k * Lanes.BYTES));
            });
            code.loop(argument(PART), () -> writePlanes(true));
            code.add(R12, argument(DY_ROW));
            code.decrement(R11);
            code.jumpUnlessZero(row);
            code.land(behind);
        }

        private void writePlanes(boolean part) {
            code.lea(R10, Address.of(RDX, R9, 1));
            for (int i = 0; i < k; i++) {
                Address pixels = Address.of(RSI, i * Lanes.BYTES);
                if (part) {
                    code.loadMask(1, Address.of(RCX, Integer.BYTES * i));
                    code.loadOrZero(i, pixels, 1);
                } else {
                    code.loadVector(i, pixels);
                }
            }
            Address[] planes = {
                Address.of(RDX, 0),
                Address.of(RDX, R8, 1),
                Address.of(RDX, R8, 2),
                Address.of(R10, 0),
                Address.of(RDX, R8, 4),
                Address.of(R10, R8, 2),
                Address.of(RDX, R9, 2),
                Address.of(R10, R8, 4)
            };
            weave.weave(0, SPARE, (index, register) -> code.storeVector(register, planes[index], 0));
            code.lea(RDX, Address.of(RDX, Lanes.BYTES));
        }

        /**
         * Five taps, from whose pixels r10 is the offset; the first of three planes in r12, its vector in rsi, the second r9 behind it;
         * sums in r13, offsets of taps in r14.
         */
        private void writeSums() {
            code.load(R9, argument(PLANE));
            code.load(R13, argument(SUMS));
            code.load(R14, argument(OFFSETS));
            int taps = code.here();
            for (int i = 0; i < TAPS; i++) {
                code.load(TAP[i], Address.of(R14, Long.BYTES * i));
                code.add(TAP[i], argument(COPY));
            }
            code.lea(R14, Address.of(R14, Long.BYTES * TAPS));
            code.load(R12, argument(PLANES_AT));
            code.load(R15, argument(GROUPS));
            int planes = code.here();
            writeTile();
            for (int i = 0; i < TAPS * PLANES; i++) {
                Address sum = Address.of(R13, i * Lanes.BYTES);
                code.addVectors(i, i, sum, 0);
                code.storeVector(i, sum, 0);
            }
            code.lea(R13, Address.of(R13, TAPS * PLANES * Lanes.BYTES));
            code.lea(R12, Address.of(R12, R9, 2));
            code.add(R12, R9);
            code.decrement(R15);
            code.jumpUnlessZero(planes);
            code.decrement(argument(TAP_GROUPS));
            code.jumpUnlessZero(taps);
            code.store(R14, argument(OFFSETS));
            code.store(R13, argument(SUMS));
        }

        private void writeTile() {
            for (int i = 0; i < TAPS * PLANES; i++) {
                code.zero(i);
            }
            code.lea(RSI, Address.of(R12, 0));
            code.clear(R10);
            code.load(R11, argument(LINES));
            int line = code.here();
            code.load(RBP, argument(VECTORS));
            int vector = code.here();
            code.loadVector(SIGNAL, Address.of(RSI, 0));
            code.loadVector(SIGNAL + 1, Address.of(RSI, R9, 1));
            code.loadVector(SIGNAL + 2, Address.of(RSI, R9, 2));
            for (int tap = 0; tap < TAPS; tap++) {
                code.loadVector(PIXELS + tap, Address.of(TAP[tap], R10, 1));
                for (int plane = 0; plane < PLANES; plane++) {
                    code.multiplyAdd(tap * PLANES + plane, PIXELS + tap, SIGNAL + plane);
                }
            }
            code.lea(RSI, Address.of(RSI, Lanes.BYTES));
            code.lea(R10, Address.of(R10, Lanes.BYTES));
            code.decrement(RBP);
            code.jumpUnlessZero(vector);
            code.add(R10, argument(SKIP));
            code.decrement(R11);
            code.jumpUnlessZero(line);
        }
    }
}
