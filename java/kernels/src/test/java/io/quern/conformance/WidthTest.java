package io.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.op.Op;
import io.quern.op.Ops;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The vector kernels at each width, in a JVM of its own since the width is a constant of the process. */
class WidthTest {
    /** What each width promises: every case of every op by layout, dtype and number of threads. */
    private static final int LEAST = 20_000;

    private static final String DIGEST = "digest:";

    /** On x86 128 and 256 bit with the 32 registers of AVX-512, as ARM has, and with 16, which have kernels of their own. */
    @ParameterizedTest(name = "{0} bit, UseAVX={1}")
    @CsvSource({"128, 3", "128, 2", "256, 3", "256, 2"})
    void agreesWithTheReference(int bits, int avx) throws IOException, InterruptedException {
        digests(bits, avx, true);
    }

    /** Both agree with the reference, too. Where there is no machine code, both are Java. */
    @Test
    void machineCodeHasTheBitsOfJavaAt512() throws IOException, InterruptedException {
        Map<String, String> java = digests(512, 3, false), code = digests(512, 3, true);
        assertEquals(java.size(), code.size(), "checks without and with machine code");
        assertTrue(code.size() >= LEAST || Suite.SOME, () -> code.size() + " checks");
        Map<String, List<String>> others = new TreeMap<>();
        code.forEach((check, digest) -> {
            if (!digest.equals(java.get(check))) {
                others.computeIfAbsent(check.split("\\|")[1], op -> new ArrayList<>())
                        .add(check);
            }
        });
        List<String> texts = new ArrayList<>();
        others.forEach(
                (op, checks) -> texts.add(op + ": " + checks.size() + " checks, the first is " + checks.getFirst()));
        assertEquals(List.of(), texts, "other bits with machine code; -Dquern.check=... repeats one check");
    }

    /** Of the results of each check in a JVM that makes them all. */
    private static Map<String, String> digests(int bits, int avx, boolean code)
            throws IOException, InterruptedException {
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
                "-Dquern.check=" + Suite.ONLY,
                "-Dquern.check.every=" + System.getProperty("quern.check.every", "1"),
                "-cp",
                System.getProperty("java.class.path"),
                WidthTest.class.getName()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        Map<String, String> digests = new LinkedHashMap<>();
        StringBuilder rest = new StringBuilder();
        output.lines().forEach(line -> {
            if (line.startsWith(DIGEST)) {
                int end = line.lastIndexOf(' ');
                digests.put(line.substring(DIGEST.length(), end), line.substring(end + 1));
            } else {
                rest.append(line).append('\n');
            }
        });
        System.out.println(rest.toString()
                .lines()
                .filter(line -> line.startsWith("conformance:"))
                .findFirst()
                .orElse(""));
        assertEquals(0, process.waitFor(), rest::toString);
        return digests;
    }

    /** Makes the vector checks of all ops at this JVM's width and prints their digests; exit code 1 on a failure. */
    public static void main(String[] args) {
        List<String> failures = new ArrayList<>();
        int checks = 0;
        for (Op<?> op : Ops.ALL) {
            try (Suite suite = new Suite()) {
                suite.agreement(op, "vector");
                suite.threads(op, "vector");
                checks += suite.checks();
                failures.addAll(suite.failures());
                suite.digests().forEach((check, digest) -> System.out.println(DIGEST + check + " " + digest));
            }
        }
        System.out.println("conformance: " + checks + " checks of " + Ops.ALL.size() + " ops on [vector] at "
                + Integer.getInteger("quern.vector.bits") + " bit, machine code "
                + System.getProperty("quern.vector.streaming"));
        failures.stream().limit(10).forEach(System.out::println);
        if (checks < LEAST && !Suite.SOME) {
            System.out.println(checks + " checks, expected at least " + LEAST);
            System.exit(1);
        }
        if (!failures.isEmpty()) {
            System.out.println(failures.size() + " checks failed");
            System.exit(1);
        }
    }
}
