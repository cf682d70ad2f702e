package io.quern.backend.ffi;

import static io.quern.backend.ffi.NativeMemory.ALL;

import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * Instructions made at run time, in memory that is first written and then executed, never both; kept until the process
 * ends. For what the Vector API cannot express, on x86-64 under Linux; elsewhere, or where the system does not allow it, there is
 * none, and the caller does the same in Java or goes without.
 *
 * @param code where it begins
 */
public record MachineCode(IntegerCall code) {
    private static final long WRITE = 1 | 2, EXECUTE = 1 | 4;
    private static final long PRIVATE_ANONYMOUS = 0x02 | 0x20;
    private static final long PAGE = 4096;

    /** The calls of the system; linked when first used. */
    private record Pages(IntegerCall map, IntegerCall protect, IntegerCall unmap) {
        static final Optional<Pages> LINUX = link();

        private static Optional<Pages> link() {
            String machine = System.getProperty("os.arch");
            if (!IntegerCall.works() || !(machine.equals("amd64") || machine.equals("x86_64"))) {
                return Optional.empty();
            }
            Optional<IntegerCall> map = IntegerCall.ofLibrary("mmap");
            Optional<IntegerCall> protect = IntegerCall.ofLibrary("mprotect");
            Optional<IntegerCall> unmap = IntegerCall.ofLibrary("munmap");
            return map.isEmpty() || protect.isEmpty() || unmap.isEmpty()
                    ? Optional.empty()
                    : Optional.of(new Pages(map.get(), protect.get(), unmap.get()));
        }
    }

    /**
     * @param instructions of a function by the System V convention that changes none but its own registers: up to six
     *     integers in rdi, rsi, rdx, rcx, r8, r9
     * @return empty on other systems and machines, and where the system refuses to execute such memory
     */
    public static Optional<MachineCode> of(byte[] instructions) {
        return make(instructions);
    }

    /** The same for instructions of some microseconds at most: a garbage collection waits for their end. */
    public static Optional<MachineCode> brief(byte[] instructions) {
        return make(instructions, Linker.Option.critical(false));
    }

    private static Optional<MachineCode> make(byte[] instructions, Linker.Option... options) {
        if (Pages.LINUX.isEmpty()) {
            return Optional.empty();
        }
        Pages pages = Pages.LINUX.get();
        long bytes = instructions.length + PAGE - 1 & -PAGE;
        long address = pages.map.call(0, bytes, WRITE, PRIVATE_ANONYMOUS, -1, 0);
        if (address == -1) {
            return Optional.empty();
        }
        MemorySegment.copy(instructions, 0, ALL, ValueLayout.JAVA_BYTE, address, instructions.length);
        // an int: the upper half of its register may be anything
        if ((int) pages.protect.call(address, bytes, EXECUTE, 0, 0, 0) != 0) {
            pages.unmap.call(address, bytes, 0, 0, 0, 0);
            return Optional.empty();
        }
        return Optional.of(new MachineCode(IntegerCall.at(MemorySegment.ofAddress(address), options)));
    }

    /** Runs it. What the arguments mean, and whether the memory they name is there, is between the code and the caller. */
    public void run(long a, long b, long c, long d, long e, long f) {
        code.call(a, b, c, d, e, f);
    }
}
