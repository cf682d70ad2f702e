package io.quern.backend.ffi;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
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
    private record Calls(MethodHandle map, MethodHandle advise, MethodHandle unmap) {
        static final Optional<Calls> LINUX = link();

        private static Optional<Calls> link() {
            if (!System.getProperty("os.name").equals("Linux") || ValueLayout.ADDRESS.byteSize() != 8) {
                return Optional.empty();
            }
            SymbolLookup library = Linker.nativeLinker().defaultLookup();
            Optional<MemorySegment> map = library.find("mmap");
            Optional<MemorySegment> advise = library.find("madvise");
            Optional<MemorySegment> unmap = library.find("munmap");
            if (map.isEmpty() || advise.isEmpty() || unmap.isEmpty()) {
                return Optional.empty();
            }
            return Optional.of(new Calls(handle(map.get()), handle(advise.get()), handle(unmap.get())));
        }

        /** All with the same six integers in registers, of which a call reads as many as it has: one stub to build, not three. */
        @SuppressWarnings("restricted")
        private static MethodHandle handle(MemorySegment function) {
            var type = ValueLayout.JAVA_LONG;
            return Linker.nativeLinker()
                    .downcallHandle(function, FunctionDescriptor.of(type, type, type, type, type, type, type));
        }
    }

    /** Address, a multiple of {@link #SIZE}, of {@code bytes} zeroed bytes; 0 if this system has none to give. */
    public static long map(long bytes) {
        if (Calls.LINUX.isEmpty() || bytes <= 0 || bytes > Long.MAX_VALUE - 2 * SIZE) {
            return 0;
        }
        Calls calls = Calls.LINUX.get();
        long length = length(bytes);
        long start = call(calls.map, 0, length + SIZE, READ_AND_WRITE, PRIVATE_ANONYMOUS, NO_FILE);
        if (start == FAILED) {
            return 0;
        }
        long address = start + SIZE - 1 & -SIZE;
        if (address > start) {
            call(calls.unmap, start, address - start, 0, 0, 0);
        }
        call(calls.unmap, address + length, start + SIZE - address, 0, 0, 0);
        // whole pages alone, so that the last, partial one does not take 2 MiB; a refusal costs nothing but speed
        call(calls.advise, address, bytes & -SIZE, ADVISE_HUGE_PAGES, 0, 0);
        return address;
    }

    /** Gives back what {@link #map} returned for {@code bytes}. */
    public static void unmap(long address, long bytes) {
        call(Calls.LINUX.orElseThrow().unmap, address, length(bytes), 0, 0, 0);
    }

    private static long length(long bytes) {
        return bytes + SIZE - 1 & -SIZE;
    }

    private static long call(MethodHandle function, long a, long b, long c, long d, long e) {
        try {
            return (long) function.invokeExact(a, b, c, d, e, 0L);
        } catch (Throwable failure) {
            throw new IllegalStateException("a call of the operating system's memory functions failed", failure);
        }
    }
}
