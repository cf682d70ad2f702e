package io.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** ./quern, in a checkout whose Maven and whose JDKs only write down how they were called. */
class LauncherTest {
    @TempDir
    private Path folder;

    private FakeCheckout checkout;
    private Path jdk;

    @BeforeEach
    void makeCheckout() throws IOException {
        checkout = new FakeCheckout(folder.toRealPath().resolve("a checkout"));
        jdk = checkout.jdk("a jdk", "25.0.3");
        checkout.set("QUERN_JAVA_HOME", jdk);
    }

    @AfterEach
    void removeLinks() throws IOException {
        if (checkout != null) { // else skipped
            checkout.close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"25.0.3", "25.0.10", "25.1", "26", "26-ea"})
    void takesTheJdkItIsTold(String version) throws Exception {
        Path told = checkout.jdk("told", version);
        checkout.set("QUERN_JAVA_HOME", told);
        checkout.set("JAVA_HOME", jdk);
        assertEquals(told.resolve("bin/java"), checkout.run("doctor").java());
    }

    @ParameterizedTest
    @ValueSource(strings = {"25.0.2", "25", "24.0.9", "1.8.0_442", "nonsense"})
    void refusesAnOlderOneWithTheRemedy(String version) throws Exception {
        Path told = checkout.jdk("told", version);
        checkout.set("QUERN_JAVA_HOME", told);
        checkout.set("JAVA_HOME", jdk);
        FakeCheckout.Ended ended = checkout.run("doctor");
        assertEquals(1, ended.status());
        assertEquals(
                "quern: QUERN_JAVA_HOME=" + told + " is no JDK 25.0.3 or later: point it at one, or unset it\n",
                ended.said());
        assertEquals(List.of(), ended.calls());
    }

    @Test
    void findsOneByItself() throws Exception {
        checkout.unset("QUERN_JAVA_HOME");
        checkout.set("HOME", folder.resolve("home"));
        checkout.set("JAVA_HOME", checkout.jdk("old", "25.0.2"));
        FakeCheckout.Ended none = checkout.run("doctor");
        assertEquals(1, none.status());
        assertTrue(
                none.said().startsWith("quern: needs JDK 25.0.3 or later")
                        && none.said().contains("found none."),
                none.said());
        assertTrue(
                none.said().contains("get one:") && none.said().contains("sdk install java 25.0.3-tem"), none.said());

        checkout.jdk("home/.jdks/one", "25.0.4");
        Path newest = checkout.jdk("home/.jdks/two", "26.0.1");
        checkout.jdk("home/.jdks/zero", "24.0.1");
        assertEquals(newest.resolve("bin/java"), checkout.run("doctor").java().toRealPath());

        // a link of the system's to java, as /usr/bin has
        Files.createSymbolicLink(
                checkout.tools().resolve("java"),
                checkout.jdk("on the path", "25.0.3").resolve("bin/java"));
        assertEquals(
                folder.toRealPath().resolve("on the path/bin/java"),
                checkout.run("doctor").java());

        checkout.set("JAVA_HOME", jdk);
        assertEquals(jdk.resolve("bin/java"), checkout.run("doctor").java());
        Files.delete(jdk.resolve("bin/javac")); // a JRE
        assertEquals(
                folder.toRealPath().resolve("on the path/bin/java"),
                checkout.run("doctor").java());
    }

    @Test
    void runsFromAnywhereAndThroughLinks() throws Exception {
        Path elsewhere = Files.createDirectories(folder.resolve("else where"));
        Path links = Files.createDirectories(folder.resolve("links"));
        Files.createSymbolicLink(links.resolve("first"), Path.of("../a checkout/quern"));
        Path second = Files.createSymbolicLink(elsewhere.resolve("second"), links.resolve("first"));
        for (Path command : List.of(checkout.quern(), second)) {
            FakeCheckout.Ended ended = checkout.run(elsewhere, command, "doctor");
            assertEquals(0, ended.status(), ended.said());
            assertEquals(elsewhere.toRealPath(), ended.folder());
            List<String> options = ended.calls().getLast();
            assertEquals(
                    checkout.root().resolve("java/cli/target/app").toString(),
                    options.get(options.indexOf("--module-path") + 1));
        }
    }

    @Test
    void passesArgumentsAndTheExitStatus() throws Exception {
        String[] arguments = {
            "train", "--data", "images:my photos/", "", "*", "a\"b'c", "$HOME", "back\\slash", "--", "-x"
        };
        checkout.set("STATUS", 7);
        FakeCheckout.Ended ended = checkout.run(arguments);
        assertEquals(7, ended.status());
        List<String> call = ended.calls().getLast();
        assertEquals(List.of(arguments), call.subList(call.indexOf("io.quern.cli/io.quern.cli.Main") + 1, call.size()));
        assertEquals(1, ended.calls().size());
    }

    @Test
    void buildsWhatIsNotFreshAndSaysSo() throws Exception {
        checkout.unbuild();
        FakeCheckout.Ended first = checkout.run("doctor");
        assertTrue(first.said().contains("quern: building (first use, or the sources changed) ..."), first.said());
        assertEquals(1, first.builds());
        assertEquals(0, checkout.run("doctor").builds());
        Path source = checkout.root().resolve("java/cli/src/main/Main.java");
        Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(3600)));
        assertEquals(1, checkout.run("doctor").builds());
        checkout.set("BUILD", 3);
        FakeCheckout.Ended failed = checkout.run("doctor");
        assertEquals(3, failed.status());
        assertTrue(failed.said().endsWith("quern: the build failed (above); nothing was run\n"), failed.said());
        assertEquals(1, failed.calls().size());
    }

    @Test
    void takesOverTheLockOfABuildThatDied() throws Exception {
        Process dead = new ProcessBuilder("/bin/sh", "-c", ":").start();
        dead.waitFor();
        Path lock = checkout.root().resolve(".quern-build");
        checkout.unbuild();
        Files.createSymbolicLink(lock, Path.of(Long.toString(dead.pid())));
        assertEquals(1, checkout.run("doctor").builds());
        assertFalse(Files.isSymbolicLink(lock));
    }

    @Test
    void startsWithTheClassesThatItKept() throws Exception {
        checkout.unbuild();
        FakeCheckout.Ended first = checkout.run("doctor");
        assertTrue(
                first.calls().get(1).stream().anyMatch(word -> word.startsWith("-XX:ArchiveClassesAtExit=")),
                () -> "no training for the archive: " + first.calls());
        String archive = "-XX:SharedArchiveFile=" + checkout.root().resolve("java/cli/target/classes.jsa");
        assertTrue(first.calls().getLast().contains(archive));
        assertTrue(checkout.run("doctor").calls().getLast().contains(archive));
        // an archive is its JVM's
        checkout.set("QUERN_JAVA_HOME", checkout.jdk("another", "25.0.4"));
        assertFalse(checkout.run("doctor").calls().getLast().contains(archive));
    }

    @ParameterizedTest
    @ValueSource(strings = {"-Xshare:off", "-XX:SharedArchiveFile=mine.jsa", "-XX:AOTCache=mine.aot"})
    void optionsAboutArchivesReplaceOurs(String option) throws Exception {
        checkout.unbuild();
        checkout.run("doctor");
        checkout.set("QUERN_JAVA_OPTS", "-Xmx1g " + option);
        List<String> call = checkout.run("doctor").calls().getLast();
        assertTrue(call.contains(option) && call.contains("-Xmx1g"), call.toString());
        assertFalse(call.stream().anyMatch(word -> word.endsWith("classes.jsa")), call.toString());
        assertTrue(call.indexOf(option) < call.indexOf("-m"), call.toString());
    }
}
