package io.quern.cli;

import com.sun.management.OperatingSystemMXBean;
import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.backend.EnergyMeter;
import io.quern.op.Op;
import io.quern.op.Ops;
import io.quern.tensor.Memory;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParentCommand;

/** Says what this machine offers, and what is missing and why. */
@Command(
        name = "doctor",
        addMethodSubcommands = false,
        description = "Shows what this machine offers: Java, vector width, backends with the reason why each is or is"
                + " not available, memory, data.")
final class DoctorCommand implements Callable<Integer> {
    private static final long MIB = 1 << 20;

    @ParentCommand
    private QuernCommand quern;

    @Mixin
    private DataDirOption dataDir;

    @Override
    public Integer call() {
        row("quern", Versions.quern());
        row("java", Versions.java());
        row("java home", System.getProperty("java.home"));
        row("machine", Versions.machine());
        row("memory", memory());
        List<Backends.Availability> backends = Backends.probe();
        row("backend", chosen());
        for (Backends.Availability backend : backends) {
            row("  " + backend.name(), (backend.available() ? "available: " : "not available: ") + backend.reason());
            if (backend.available()) {
                row("", kernels(backend.name()));
            }
        }
        row("energy", EnergyMeter.summary());
        row("data folder", data());
        return ExitCode.DONE;
    }

    private void row(String name, String value) {
        quern.terminal().line("%-14s %s", name, value);
    }

    private static String chosen() {
        try (Backend best = Backends.best()) {
            return best.name() + " (" + best.description() + ")";
        }
    }

    /** Which ops run as the slow reference on this backend. */
    private static String kernels(String name) {
        try (Backend backend = Backends.of(name, 1)) {
            List<Op<?>> missing = backend.withoutKernel();
            int all = Ops.ALL.size();
            String own = (all - missing.size()) + " of " + all + " ops have a kernel";
            if (backend.memory() != Memory.host()) {
                return own + (missing.isEmpty() ? "" : "; an error are " + names(missing));
            }
            if (missing.isEmpty() || missing.size() == all) {
                return own + (missing.isEmpty() ? "" : "; all run as reference");
            }
            return own + "; as reference run " + names(missing);
        }
    }

    private static String names(List<Op<?>> ops) {
        return ops.stream().map(Op::name).sorted().collect(Collectors.joining(", "));
    }

    private static String memory() {
        OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        return String.format(
                Locale.ROOT,
                "%,d MiB in the machine, %,d MiB free; Java heap up to %,d MiB (tensors lie outside the heap)",
                system.getTotalMemorySize() / MIB,
                system.getFreeMemorySize() / MIB,
                Runtime.getRuntime().maxMemory() / MIB);
    }

    private String data() {
        Path folder = dataDir.orNull();
        if (folder == null) {
            return "not set; --data-dir DIR or the variable QUERN_DATA names it. The data set 'strokes' needs none";
        }
        if (!Files.isDirectory(folder)) {
            return folder + ": no such folder; the data set 'strokes' needs none";
        }
        return folder + ": " + has(folder, "mnist") + ", " + has(folder, "cifar10");
    }

    private static String has(Path folder, String name) {
        return name + (Files.isDirectory(folder.resolve(name)) ? " is there" : " is not there");
    }
}
