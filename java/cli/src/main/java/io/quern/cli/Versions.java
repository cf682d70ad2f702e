package io.quern.cli;

import java.lang.module.ModuleDescriptor;
import picocli.CommandLine;

/** Which quern, which Java, which machine. */
final class Versions implements CommandLine.IVersionProvider {
    /** The version of this build; {@code development} when it does not run from its module. */
    static String quern() {
        ModuleDescriptor module = Main.class.getModule().getDescriptor();
        return module == null ? "development" : module.rawVersion().orElse("development");
    }

    /** For example {@code 25.0.3+9, OpenJDK 64-Bit Server VM, Eclipse Adoptium}. */
    static String java() {
        return Runtime.version() + ", " + System.getProperty("java.vm.name") + ", " + System.getProperty("java.vendor");
    }

    /** For example {@code Linux 6.1 amd64, 2 processors}. */
    static String machine() {
        return System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                + System.getProperty("os.arch") + ", " + Runtime.getRuntime().availableProcessors() + " processors";
    }

    @Override
    public String[] getVersion() {
        return new String[] {"quern " + quern(), "Java " + java(), machine()};
    }
}
