package io.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.cli.run.RunConfig;
import io.quern.cli.run.RunFolder;
import io.quern.data.CsvSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntFunction;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run keeps what the columns of its table mean, and its other commands go by that. */
class TableCommandsTest {
    private static final List<String> COLOURS = List.of("blue", "green", "red");

    @TempDir
    private Path folder;

    private Path run;

    @BeforeEach
    void train() throws IOException {
        run = folder.resolve("run");
        Path table = table("table.csv", 60, i -> COLOURS.get(i % 3));
        Cli.Result result = Cli.run(
                "train",
                "--data",
                "csv:" + table + ",target=label",
                "--model",
                "dense(2)",
                "--epochs",
                2,
                "--out",
                run);
        assertEquals(ExitCode.DONE, result.code(), result.err());
    }

    private Path table(String name, int rows, IntFunction<String> colour) throws IOException {
        StringBuilder csv = new StringBuilder("x,label,colour\n");
        for (int i = 0; i < rows; i++) {
            csv.append(i * 37 % 100)
                    .append(i % 2 == 0 ? ",yes," : ",no,")
                    .append(colour.apply(i))
                    .append('\n');
        }
        return Files.writeString(folder.resolve(name), csv);
    }

    @Test
    void theConfigurationHoldsTheSchema() {
        CsvSchema schema = RunConfig.read(new RunFolder(run).config()).facts().schema();
        assertEquals(
                List.of(new CsvSchema.Column("x", List.of()), new CsvSchema.Column("colour", COLOURS)),
                schema.columns());
        assertEquals("label", schema.target());
        assertEquals(1, schema.targetIndex());
        assertEquals(List.of("no", "yes"), schema.classNames());
    }

    @Test
    void evaluateReadsOtherFilesAsTheTrainingFileWasRead() throws IOException {
        Path fewer = table("fewer.csv", 50, i -> "red");
        Cli.Result result = Cli.run("evaluate", run, "--data", "csv:" + fewer);
        assertEquals(ExitCode.DONE, result.code(), result.err());
        assertTrue(result.lastLine().endsWith("/10)"), result.lastLine());
    }

    @Test
    void evaluateRefusesCategoriesThatTheNetworkHasNotSeen() throws IOException {
        List<String> others = List.of("cyan", "magenta", "yellow");
        Path table = table("others.csv", 50, i -> others.get(i % 3));
        Cli.Result result = Cli.run("evaluate", run, "--data", "csv:" + table);
        assertEquals(ExitCode.FAILED, result.code(), result.out());
        assertTrue(result.err().contains("'cyan' does not occur in the training file"), result.err());
        assertTrue(result.err().contains("others.csv, line 2, column 'colour'"), result.err());
    }

    @Test
    void predictReadsRowsWithAndWithoutTheTarget() throws IOException {
        Path with = Files.writeString(folder.resolve("a.csv"), "x,label,colour\n10,?,red\n20,?,blue\n30,,green\n");
        Path without = Files.writeString(folder.resolve("b.csv"), "x,colour\n10,red\n20,blue\n30,green\n");
        Cli.Result result = Cli.run("predict", run, with, without);
        assertEquals(ExitCode.DONE, result.code(), result.err());
        String share = "(yes|no) [0-9.]+ %";
        for (int row = 1; row <= 3; row++) {
            String said = result.line(with + ", row " + row + ": ").substring((with + ", row 1: ").length());
            assertTrue(said.matches(share + " \\(" + share + "\\)"), said);
            assertEquals(
                    said, result.line(without + ", row " + row + ": ").substring((without + ", row 1: ").length()));
        }
        assertFalse(result.out().contains("row 4"), result.out());
    }

    @Test
    void predictRefusesOtherColumnsAndHoles() throws IOException {
        Path swapped = Files.writeString(folder.resolve("s.csv"), "colour,x\nred,10\n");
        Cli.Result other = Cli.run("predict", run, swapped);
        assertEquals(ExitCode.FAILED, other.code(), other.out());
        assertTrue(other.err().contains("differ from those of the training file, [x, colour]"), other.err());
        Path hole = Files.writeString(folder.resolve("h.csv"), "x,colour\n10,red\n,blue\n");
        Cli.Result missing = Cli.run("predict", run, hole);
        assertEquals(ExitCode.FAILED, missing.code(), missing.out());
        assertTrue(missing.err().contains("h.csv, line 3, column 'x': missing value ''; fill it in"), missing.err());
        assertFalse(missing.err().contains("missing=drop"), missing.err());
    }

    @Test
    void resumeRefusesDataThatHaveChanged() throws IOException {
        Path table = folder.resolve("table.csv");
        String text = Files.readString(table);
        Cli.Result same = Cli.run("train", "--out", run, "--resume");
        assertEquals(ExitCode.DONE, same.code(), same.err());
        Files.writeString(table, text.replaceFirst("37,no", "38,no"));
        Cli.Result other = Cli.run("train", "--out", run, "--resume");
        assertEquals(ExitCode.FAILED, other.code(), other.out());
        assertEquals(1, other.err().lines().count(), other.err());
        assertTrue(other.err().contains("the data have changed since " + run + " was started"), other.err());
        Files.writeString(table, text);
        assertFalse(Cli.run("train", "--out", run, "--resume").out().isEmpty());
    }
}
