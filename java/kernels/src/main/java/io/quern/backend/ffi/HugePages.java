package io.quern.backend.ffi;

import java.util.Optional;

/**
 * Zeroed memory for which Linux is asked to use huge pages before they are touched: one page fault instead of 512, and
 * streams that do not wait for the translation of addresses. Where huge pages are switched off it is ordinary memory.
 *
 * <p>Not by way of an {@code Arena}, which zeroes, and so touches, its memory in small pages first.
 */
public final class HugePages {
    /** Bytes of a huge page on x86-64, and on AArch64 with pages of 4 KiB. */
    public static final long SIZE = 2 << 20;

    private static final long READ_AND_WRITE = 1 | 2;
    private static final long PRIVATE_ANONYMOUS = 0x02 | 0x20;
    private static final long NO_FILE = -1;
    private static final long FAILED = -1;
    private static final long ADVISE_HUGE_PAGES = 14;

    private HugePages() {}

    /** The three calls; linked when first used, which takes as long as touching some tens of MiB in small pages. */
    private record Calls(IntegerCall map, IntegerCall advise, IntegerCall unmap) {
        static final Optional<Calls> LINUX = link();

        private static Optional<Calls> link() {
            if (!IntegerCall.works()) {
                return Optional.empty();
            }
            Optional<IntegerCall> map = IntegerCall.ofLibrary("mmap");
            Optional<IntegerCall> advise = IntegerCall.ofLibrary("madvise");
            Optional<IntegerCall> unmap = IntegerCall.ofLibrary("munmap");
            return map.isEmpty() || advise.isEmpty() || unmap.isEmpty()
                    ? Optional.empty()
                    : Optional.of(new Calls(map.get(), advise.get(), unmap.get()));
        }
    }

    /** Address, a multiple of {@link #SIZE}, of {@code bytes} zeroed bytes; 0 if this system has none to give. */
    public static long map(long bytes) {
        if (Calls.LINUX.isEmpty() || bytes <= 0 || bytes > Long.MAX_VALUE - 2 * SIZE) {
            return 0;
        }
        Calls calls = Calls.LINUX.get();
        long length = length(bytes);
        long start = calls.map.call(0, length + SIZE, READ_AND_WRITE, PRIVATE_ANONYMOUS, NO_FILE, 0);
        if (start == FAILED) {
            return 0;
        }
        long address = start + SIZE - 1 & -SIZE;
        if (address > start) {
            calls.unmap.call(start, address - start, 0, 0, 0, 0);
        }
        calls.unmap.call(address + length, start + SIZE - address, 0, 0, 0, 0);
        // whole pages alone, so that the last, partial one does not take 2 MiB; a refusal costs nothing but speed
        calls.advise.call(address, bytes & -SIZE, ADVISE_HUGE_PAGES, 0, 0, 0);
        return address;
    }

    /** Gives back what {@link #map} returned for {@code bytes}. */
    public static void unmap(long address, long bytes) {
        Calls.LINUX.orElseThrow().unmap.call(address, length(bytes), 0, 0, 0, 0);
    }

    private static long length(long bytes) {
        return bytes + SIZE - 1 & -SIZE;
    }
}
