package io.quern.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.data.CsvOptions.Header;
import io.quern.data.CsvOptions.Missing;
import io.quern.tensor.Shape;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CsvTest {
    private static final CsvOptions DEFAULT = CsvOptions.DEFAULT;

    @TempDir
    Path directory;

    private static CsvTable parse(byte[] bytes, CsvOptions options) {
        return Csv.parse("t.csv", new ByteArrayInputStream(bytes), options);
    }

    private static CsvTable parse(String text, CsvOptions options) {
        return parse(text.getBytes(StandardCharsets.UTF_8), options);
    }

    private static String refusal(String text, CsvOptions options) {
        return assertThrows(FormatException.class, () -> parse(text, options)).getMessage();
    }

    @Test
    void numbersStayNumbersAndWordsBecomeOneHot() {
        CsvTable table = parse("age,job,ok\n30, clerk ,no\n4e1,\"smith, black\",yes\n", DEFAULT);
        assertEquals(Shape.of(3), table.sampleShape());
        assertEquals(
                List.of("age", "job=clerk", "job=smith, black"), table.schema().featureNames());
        assertEquals(List.of("no", "yes"), table.classNames());
        assertArrayEquals(new float[] {30, 1, 0}, Samples.read(table, 0));
        assertArrayEquals(new float[] {40, 0, 1}, Samples.read(table, 1));
        assertEquals(1, table.label(1));
    }

    @Test
    void theTargetIsNamedByNameOrIndex() {
        String text = "7,x,1\n8,y,2\n";
        assertEquals(List.of("1", "2"), parse(text, DEFAULT).classNames());
        assertEquals(List.of("x", "y"), parse(text, DEFAULT.withTarget("c1")).classNames());
        assertEquals(List.of("x", "y"), parse(text, DEFAULT.withTarget("1")).classNames());
        assertEquals(List.of("7", "8"), parse(text, DEFAULT.withTarget("-3")).classNames());
        assertTrue(refusal(text, DEFAULT.withTarget("age")).contains("no column 'age'; the columns are [c0, c1, c2]"));
    }

    @Test
    void numericClassesAndCategoriesAreInNumericOrder() {
        CsvTable table = parse("1,9\n2,10\n10,-1\n", DEFAULT.withCategorical("c0"));
        assertEquals(List.of("-1", "9", "10"), table.classNames());
        assertEquals(List.of("c0=1", "c0=2", "c0=10"), table.schema().featureNames());
        assertArrayEquals(new float[] {0, 0, 1}, Samples.read(table, 2));
    }

    @Test
    void aMissingValueNamesLineAndColumnOrDropsItsRow() {
        String text = "a,b,y\n1,2,p\n\n?,3,q\n4,nan,p\n5,6,q\n";
        assertEquals(
                "t.csv, line 4, column 'a': missing value '?'; fill it in, or say missing=drop to leave such lines out",
                refusal(text, DEFAULT));
        CsvTable table = parse(text, DEFAULT.withMissing(Missing.DROP_ROW));
        assertEquals(2, table.size());
        assertEquals(2, table.droppedRows());
        assertArrayEquals(new float[] {5, 6}, Samples.read(table, 1));
    }

    @Test
    void notAvailableMayBeTheNameOfACategory() {
        CsvTable table = parse("country,y\nNA,0\nDE,1\n", DEFAULT.withHeader(Header.PRESENT));
        assertEquals(List.of("country=DE", "country=NA"), table.schema().featureNames());
        assertTrue(refusal("1,0\n2,1\n3,NA\n", DEFAULT).contains("line 3, column 'c1': missing value 'NA'"));
    }

    @Test
    void theHeaderIsGuessedOnlyWhereItIsPlain() {
        assertEquals(2, parse("1,x\n2,y\n", DEFAULT).size());
        assertEquals(2, parse("n,name\n1,x\n2,y\n", DEFAULT).size());
        assertTrue(refusal("a,x\nb,y\n", DEFAULT).contains("say header=true or header=false"));
        assertEquals(2, parse("a,x\nb,y\n", DEFAULT.withHeader(Header.ABSENT)).size());
        assertEquals(
                2, parse("1,2\na,x\nb,y\n", DEFAULT.withHeader(Header.PRESENT)).size());
    }

    @Test
    void byteOrderMarksSeparatorsAndLineEndsAreUnderstood() {
        CsvTable table = parse("\ufeff\"a\";y\r\n1;p\r\n2;q\r\n", DEFAULT.withSeparator(';'));
        assertEquals("a", table.schema().columns().getFirst().name());
        assertEquals(2, table.size());
    }

    @Test
    void raggedLinesQuotesAndEncodingsAreErrors() {
        assertTrue(refusal("1,2,x\n1,2\n", DEFAULT).contains("line 2: 2 fields, expected 3"));
        assertTrue(refusal("1,x\n\"2,y\n", DEFAULT).contains("check the quotes"));
        assertTrue(refusal("1\n2\n", DEFAULT).contains("only one column"));
        assertTrue(refusal("a,a,y\n1,2,p\n", DEFAULT).contains("a second column named 'a'"));
        assertTrue(refusal("", DEFAULT).contains("no lines of data"));
        byte[] latin = "1,\u00e9\n2,y\n".getBytes(StandardCharsets.ISO_8859_1);
        assertTrue(assertThrows(FormatException.class, () -> parse(latin, DEFAULT))
                .getMessage()
                .contains("not UTF-8"));
        assertTrue(refusal("1,x\n\"" + "z".repeat(2 << 20) + "\",y\n", DEFAULT).contains("length of the fields"));
    }

    @Test
    void quantitiesAreNoTargets() {
        assertTrue(refusal("1,2.5\n2,3\n", DEFAULT).contains("not regression"));
        StringBuilder many = new StringBuilder();
        for (int i = 0; i < 200; i++) {
            many.append("1,").append(i).append('\n');
        }
        assertTrue(
                refusal(many.toString(), DEFAULT).contains("line 101, column 'c1': the target looks like a quantity"));
        assertTrue(refusal("1,x\n2,x\n", DEFAULT).contains("every line has the class 'x'"));
    }

    @Test
    void aTypoAmongNumbersIsNoCategory() {
        StringBuilder text = new StringBuilder("size,label\n");
        for (int i = 0; i < 20; i++) {
            text.append(i == 13 ? "O.5" : "0." + i).append(i % 2 == 0 ? ",a\n" : ",b\n");
        }
        assertTrue(refusal(text.toString(), DEFAULT).contains("line 15, column 'size': 'O.5' among 19 numbers"));
    }

    @Test
    void identifiersAreNotOneHotColumns() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 1002; i++) {
            text.append("id").append(i).append(',').append(i % 2).append('\n');
        }
        assertTrue(refusal(text.toString(), DEFAULT).contains("more than 1000 different values"));
    }

    @Test
    void aTestFileFollowsTheSchemaOfTheTrainingFile() throws IOException {
        Path train = Files.writeString(directory.resolve("train.csv"), "n,k,y\n1,a,p\n2,b,q\n3,c,p\n");
        Path good = Files.writeString(directory.resolve("good.csv"), "n,k,y\n7,c,q\n");
        Path bad = Files.writeString(directory.resolve("bad.csv"), "n,k,y\n7,d,q\n");
        Path other = Files.writeString(directory.resolve("other.csv"), "n,z,y\n7,a,q\n");
        CsvSchema schema = Csv.read(train, DEFAULT).schema();
        CsvTable test = Csv.read(good, DEFAULT, schema);
        assertArrayEquals(new float[] {7, 0, 0, 1}, Samples.read(test, 0));
        assertEquals(1, test.label(0));
        assertTrue(assertThrows(FormatException.class, () -> Csv.read(bad, DEFAULT, schema))
                .getMessage()
                .contains("line 2, column 'k': 'd' does not occur in the training file"));
        assertTrue(assertThrows(FormatException.class, () -> Csv.read(other, DEFAULT, schema))
                .getMessage()
                .contains("differ from those of the training file"));
    }

    @Test
    void onlyFiniteDecimalNumbersAreNumbers() {
        for (String number : List.of("0", "-1.5", "+3", ".5", "1e-3", "7.")) {
            assertTrue(CsvText.isNumber(number), number);
        }
        for (String word : List.of("", "1d", "0x10", "NaN", "Infinity", "1e99", "1,5", "-", "e")) {
            assertTrue(!CsvText.isNumber(word), word);
        }
    }

    @Test
    void mutationsAreRefusedOrRead() {
        byte[] numbers = "a,b,y\n1,2,p\n3,4,q\n5,6,p\n".getBytes(StandardCharsets.UTF_8);
        byte[] words = "x,\"y \"\"z\"\"\",1\r\nu,w,2\r\n\r\nx,\u00e9,1\r\n".getBytes(StandardCharsets.UTF_8);
        Fuzz.run(4000, 4000, 4 << 20, bytes -> parse(bytes, DEFAULT), numbers, words);
        Fuzz.run(
                1000,
                4000,
                4 << 20,
                bytes -> parse(bytes, DEFAULT.withTarget("a").withMissing(Missing.DROP_ROW)),
                numbers);
    }
}
