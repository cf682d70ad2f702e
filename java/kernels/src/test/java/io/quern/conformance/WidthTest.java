package io.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.quern.op.Op;
import io.quern.op.Ops;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The vector kernels at each width, in a JVM of its own since the width is a constant of the process. */
class WidthTest {
    /** What each width promises: every case of every op by layout, dtype and number of threads. */
    private static final int LEAST = 20_000;

    /**
     * On x86 128 and 256 bit with the 32 registers of AVX-512, as ARM has, and with 16, which have kernels of their own; 512 bit with
     * machine code, where there is such code, and without.
     */
    @ParameterizedTest(name = "{0} bit, UseAVX={1}, machine code {2}")
    @CsvSource({"128, 3, true", "128, 2, true", "256, 3, true", "256, 2, true", "512, 3, true", "512, 3, false"})
    void agreesWithTheReference(int bits, int avx, boolean code) throws IOException, InterruptedException {
        Assumptions.assumeTrue(
                ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(),
                "the module jdk.incubator.vector is not loaded in this JVM");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-XX:+IgnoreUnrecognizedVMOptions",
                "-XX:UseAVX=" + avx,
                "-Dquern.vector.bits=" + bits,
                "-Dquern.vector.streaming=" + code,
                "-cp",
                System.getProperty("java.class.path"),
                WidthTest.class.getName()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        System.out.println(output.lines()
                .filter(line -> line.startsWith("conformance:"))
                .findFirst()
                .orElse(""));
        assertEquals(0, process.waitFor(), output);
    }

    /** Runs the vector checks of all ops at this JVM's width; exit code 1 on a failure. */
    public static void main(String[] args) {
        List<String> failures = new ArrayList<>();
        int checks = 0;
        for (Op<?> op : Ops.ALL) {
            try (Suite suite = new Suite()) {
                suite.agreement(op, "vector");
                suite.threads(op, "vector");
                checks += suite.checks();
                failures.addAll(suite.failures());
            }
        }
        System.out.println("conformance: " + checks + " checks of " + Ops.ALL.size() + " ops on [vector] at "
                + Integer.getInteger("quern.vector.bits") + " bit, machine code "
                + System.getProperty("quern.vector.streaming"));
        failures.stream().limit(10).forEach(System.out::println);
        if (checks < LEAST) {
            System.out.println(checks + " checks, expected at least " + LEAST);
            System.exit(1);
        }
        if (!failures.isEmpty()) {
            System.out.println(failures.size() + " checks failed");
            System.exit(1);
        }
    }
}
