package io.quern.backend.vector;

import io.quern.backend.ffi.MachineCode;

/**
 * Asks for cache lines before they are needed, which the Vector API cannot: by {@link MachineCode}, or not at all where there is
 * none. Reads and writes nothing, so it need not be memory. A load that is needed by no one does the same, but those behind it wait
 * for what it loads (bench/lab/prefetch.md).
 */
final class Prefetch {
    /** Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2: PREFETCHT1, into the second-level cache. */
    private static final int[] READ = {0x0f, 0x18, 0x10};
    /** PREFETCHW: into the first- or second-level cache, no other core keeping a copy. */
    private static final int[] WRITE = {0x0f, 0x0d, 0x08};

    /** Bytes asked for at once, at most: some microseconds, and what an L2 cache has room for. More is not asked for. */
    static final long MOST = 64 << 10;

    private static final MachineCode FOR_READING = make(READ), FOR_WRITING = make(WRITE);

    private Prefetch() {}

    /** False where nothing is asked for. */
    static boolean works() {
        return FOR_READING != null && FOR_WRITING != null;
    }

    /**
     * The lines of rows that are read soon.
     *
     * @param width bytes of a row
     * @param stride bytes from row to row
     */
    static void forReading(long at, long width, int rows, long stride) {
        run(FOR_READING, at, width, rows, stride);
    }

    /** The lines of rows that are written soon. */
    static void forWriting(long at, long width, int rows, long stride) {
        run(FOR_WRITING, at, width, rows, stride);
    }

    private static void run(MachineCode code, long at, long width, int rows, long stride) {
        if (code != null && width > 0 && rows > 0 && width <= MOST / rows) {
            boolean gaps = stride != width;
            code.run(at, gaps ? width : rows * width, gaps ? rows : 1, stride, 0, 0);
        }
    }

    /** @param line the instruction for the line at rax */
    private static MachineCode make(int[] line) {
        int[] code = {
            0x48, 0x89, 0xf8, // row: mov rax, rdi
            0x48, 0x83, 0xe0, 0xc0, // and rax, -64
            0x4c, 0x8d, 0x04, 0x37, // lea r8, [rdi + rsi]
            line[0], line[1], line[2], // line: prefetch [rax]
            0x48, 0x83, 0xc0, 0x40, // add rax, 64
            0x4c, 0x39, 0xc0, // cmp rax, r8
            0x72, 0xf4, // jb line
            0x48, 0x01, 0xcf, // add rdi, rcx
            0x48, 0xff, 0xca, // dec rdx
            0x75, 0xe1, // jnz row
            0xc3, // ret
        };
        byte[] bytes = new byte[code.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) code[i];
        }
        return StreamCode.asked() ? MachineCode.brief(bytes).orElse(null) : null;
    }
}
