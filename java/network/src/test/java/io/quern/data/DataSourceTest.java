package io.quern.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.QuernException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DataSourceTest {
    @TempDir
    Path directory;

    private final DataOptions with = DataOptions.of(null, 1, 2);

    private Split load(String text) {
        return DataSource.parse(text).load(with);
    }

    private void images(String folder, int perClass) throws IOException {
        for (String name : new String[] {"cat", "dog"}) {
            Path path = Files.createDirectories(directory.resolve(folder).resolve(name));
            for (int i = 0; i < perClass; i++) {
                Files.write(path.resolve(i + ".png"), Samples.grayPng(2, 2, i));
            }
        }
    }

    private static String sizes(Split split) {
        return split.train().size() + "/" + split.validation().size() + "/"
                + split.test().size();
    }

    @Test
    void namesArePrintedAsTheyAreRead() {
        for (String text : new String[] {
            "strokes", "strokes,test=10,train=20", "mnist", "idx:some/dir", "csv:a,b.csv,header=true,target=last one"
        }) {
            assertEquals(text, DataSource.parse(text).toString());
        }
        assertEquals("a,b.csv", DataSource.parse("csv:a,b.csv,header=true").location());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "stroke            | expected strokes, mnist, cifar10, idx:DIR",
                "''                | unknown data",
                "idx               | write idx:PATH",
                "csv:              | write csv:PATH",
                "mnist:/data       | use --data-dir",
                "mnist,train=5     | mnist has no option 'train'; it has none",
                "csv:f,sep=x       | csv has no option 'sep'; it has target, header, missing",
                "strokes,train=1,train=2 | given twice",
            })
    void whatIsNotUnderstoodIsNamed(String text, String message) {
        String found = assertThrows(ArgumentException.class, () -> DataSource.parse(text))
                .getMessage();
        assertTrue(found.contains(message), found);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "strokes,train=many      | train is 'many'",
                "csv:no/such.csv         | there is no file no/such.csv",
                "csv:x,header=maybe      | expected true or false",
                "csv:x,separator=ab      | expected one character",
                "idx:no/such             | there is no directory no/such",
                "images:no/such          | there is no directory or ZIP file no/such",
            })
    void whatIsMissingIsNamed(String text, String message) {
        String found = assertThrows(ArgumentException.class, () -> load(text)).getMessage();
        assertTrue(found.contains(message), found);
    }

    @Test
    void strokesStayTheSameWhenTheRunsSeedChanges() {
        Split one = load("strokes,train=100,test=30");
        assertEquals("90/10/30", sizes(one));
        Split two = DataSource.parse("strokes,train=100,test=30").load(DataOptions.of(null, 2, 1));
        assertEquals(0, java.util.Arrays.compare(Samples.read(one.test(), 7), Samples.read(two.test(), 7)));
    }

    @Test
    void oneFolderOfImagesIsSplit() throws IOException {
        images("pets", 10);
        assertEquals("14/2/4", sizes(load("images:" + directory.resolve("pets"))));
    }

    @Test
    void partsOfAnImageFolderAreRespected() throws IOException {
        images("pets/train", 10);
        images("pets/test", 3);
        String text = "images:" + directory.resolve("pets");
        assertEquals("18/2/6", sizes(load(text)));
        images("pets/val", 2);
        assertEquals("20/4/6", sizes(load(text)));
        assertEquals(3, load(text + ",channels=3").train().sampleShape().dim(2));
        Files.createDirectories(directory.resolve("pets/test/emu"));
        Files.write(directory.resolve("pets/test/emu/1.png"), Samples.grayPng(2, 2, 0));
        assertTrue(assertThrows(QuernException.class, () -> load(text))
                .getMessage()
                .contains("[cat, dog, emu]"));
    }

    @Test
    void tablesAreSplitOrComeWithATestFile() throws IOException {
        StringBuilder lines = new StringBuilder("n;y\n");
        for (int i = 0; i < 20; i++) {
            lines.append(i).append(';').append(i % 2 == 0 ? "even" : "odd").append('\n');
        }
        Path file = Files.writeString(directory.resolve("t.csv"), lines);
        String text = "csv:" + file + ",separator=;,target=y";
        assertEquals("14/2/4", sizes(load(text)));
        Path test = Files.writeString(directory.resolve("u.csv"), "n;y\n?;odd\n5;odd\n");
        assertThrows(FormatException.class, () -> load(text + ",test=" + test));
        assertEquals("18/2/1", sizes(load(text + ",missing=drop,test=" + test)));
    }
}
