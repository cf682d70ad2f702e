package io.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backends;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
    @Test
    void helpNamesEveryCommandAndFirstSteps() {
        Cli.Result result = Cli.run("--help");
        assertEquals(ExitCode.DONE, result.code());
        for (String command : new String[] {"train", "evaluate", "predict", "explain", "doctor"}) {
            assertTrue(result.out().contains("quern " + command), command + " is missing in:\n" + result.out());
        }
        assertEquals("", result.err());
    }

    @ParameterizedTest
    @ValueSource(strings = {"train", "evaluate", "predict", "explain"})
    void everyCommandThatTakesArgumentsShowsAnExample(String command) {
        Cli.Result result = Cli.run(command, "--help");
        assertEquals(ExitCode.DONE, result.code());
        assertTrue(result.out().contains("Example"), result.out());
        assertTrue(result.out().contains("  quern " + command + " "), result.out());
    }

    @Test
    void versionNamesQuernJavaAndMachine() {
        Cli.Result result = Cli.run("--version");
        assertEquals(ExitCode.DONE, result.code());
        assertTrue(result.line("quern ").length() > "quern ".length());
        assertTrue(result.line("Java ").contains(Runtime.version().toString()));
    }

    @Test
    void doctorShowsEveryBackendWithItsReason() {
        Cli.Result result = Cli.run("doctor", "--data-dir", "no-such-folder");
        assertEquals(ExitCode.DONE, result.code());
        assertTrue(result.line("  vector").contains("available"));
        assertTrue(result.line("  scalar").contains("plain Java loops"));
        assertTrue(result.line("  reference").contains("in double"));
        assertTrue(result.out().contains("0 of "), "the reference has no kernels:\n" + result.out());
        assertTrue(result.line("java ").contains(Runtime.version().toString()));
        assertTrue(result.line("memory").contains("MiB"));
        assertTrue(result.line("data folder").contains("no such folder"));
    }

    @Test
    void aGpuThatIsNotHereIsOneLineWithTheRemedy() {
        String reason = Backends.probe().stream()
                .filter(backend -> backend.name().equals("cuda") && !backend.available())
                .map(Backends.Availability::reason)
                .findFirst()
                .orElse("");
        Assumptions.assumeFalse(reason.isEmpty(), "there is a GPU here");
        Cli.Result result = Cli.run("train", "--backend", "cuda", "--limit", "10");
        assertEquals(ExitCode.FAILED, result.code());
        assertEquals(
                "quern: backend cuda is not available: " + reason, result.err().strip());
        assertTrue(Cli.run("doctor").line("  cuda ").contains("not available: " + reason));
    }

    @Test
    void debugShowsTheStackTraceAfterTheLine() {
        Cli.Result result = Cli.run("evaluate", "no-such-run", "--debug");
        assertEquals(ExitCode.FAILED, result.code());
        assertTrue(result.err().startsWith("quern: no-such-run"), result.err());
        assertTrue(result.err().contains("at io.quern.cli.run.RunFolder.open"), result.err());
    }
}
