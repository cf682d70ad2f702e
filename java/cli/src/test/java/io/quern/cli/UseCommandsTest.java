package io.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** evaluate, predict and explain on one trained run. */
class UseCommandsTest {
    @TempDir
    private Path folder;

    @Test
    void evaluateFindsTheAccuracyThatTrainingEndedWith() {
        Cli.Result result = Cli.run("evaluate", TrainedOnce.run());
        assertEquals(ExitCode.DONE, result.code(), result.err());
        assertEquals(TrainedOnce.result().lastLine(), result.lastLine());
        assertTrue(result.line("class").contains("precision"));
        assertTrue(result.line("loss ").contains("AUROC"));
        assertTrue(result.line("confusion matrix").contains("rows: true class"));
    }

    @Test
    void evaluateOnOtherSamplesOfTheSameKind() {
        Cli.Result result = Cli.run("evaluate", TrainedOnce.run(), "--data", "strokes,train=10,test=50,seed=9");
        assertEquals(ExitCode.DONE, result.code(), result.err());
        assertTrue(result.lastLine().endsWith("/50)"), result.lastLine());
    }

    @Test
    void evaluateRefusesDataOfAnotherKind() throws IOException {
        Path table =
                Files.writeString(folder.resolve("t.csv"), "a,b\n1,x\n2,y\n3,x\n4,y\n5,x\n6,y\n7,x\n8,y\n9,x\n10,y\n");
        Cli.Result result = Cli.run("evaluate", TrainedOnce.run(), "--data", "csv:" + table);
        assertEquals(ExitCode.FAILED, result.code());
        assertTrue(result.err().contains("takes 28x28x1"), result.err());
    }

    @Test
    void predictNamesTheThreeLikeliestClassesOfEachImage() {
        Path three = TrainedOnce.picture(folder, 3);
        Path five = TrainedOnce.picture(folder, 5);
        Cli.Result result = Cli.run("predict", TrainedOnce.run(), three, five);
        assertEquals(ExitCode.DONE, result.code(), result.err());
        String share = "[0-9] [0-9.]+ %";
        String line = result.line(three.toString());
        assertTrue(line.matches(".*: " + share + " \\(" + share + ", " + share + "\\)"), line);
        assertTrue(result.lastLine().startsWith(five.toString()));
    }

    @Test
    void grayAndColouredCopiesOfAPictureAreTheSameToAGrayModel() throws IOException {
        Path gray = TrainedOnce.picture(folder, 4);
        BufferedImage image = ImageIO.read(gray.toFile());
        BufferedImage bytes = new BufferedImage(28, 28, BufferedImage.TYPE_BYTE_GRAY);
        for (int i = 0; i < 28 * 28; i++) {
            bytes.getRaster().setSample(i % 28, i / 28, 0, image.getRaster().getSample(i % 28, i / 28, 0));
        }
        Path one = folder.resolve("one-channel.png");
        ImageIO.write(bytes, "png", one.toFile());
        Cli.Result result = Cli.run("predict", TrainedOnce.run(), gray, one);
        assertEquals(
                result.line(gray.toString()).substring(gray.toString().length()),
                result.line(one.toString()).substring(one.toString().length()));
    }

    @Test
    void explainPrintsTheResidualAndWritesAPage() throws IOException {
        Path page = folder.resolve("why.html");
        Path picture = TrainedOnce.picture(folder, 7);
        // steps enough for a network that was hardly trained, whose difference of scores is small
        Cli.Result result =
                Cli.run("explain", TrainedOnce.run(), picture, "--target", 7, "--report", page, "--steps", 512);
        assertEquals(ExitCode.DONE, result.code(), result.err());
        assertTrue(result.line("prediction ").contains("probability"), result.out());
        String residual = result.line("completeness residual ");
        assertTrue(residual.matches(".* [0-9.e-]+ absolute, [0-9.e-]+ % relative"), residual);
        assertTrue(Double.parseDouble(residual.split(" ")[4]) < 5, residual);
        String html = Files.readString(page);
        assertEquals(3, html.split("data:image/png").length - 1, "image, heat map, both");
        assertTrue(html.contains("speaks against the class") && html.contains("Why 7?"));
        assertTrue(!html.contains("http") && !html.contains("<script"), "self-contained");
    }

    @Test
    void explainBySaliencyAndByAnotherBaseline() {
        Path picture = TrainedOnce.picture(folder, 1);
        Cli.Result saliency = Cli.run("explain", TrainedOnce.run(), picture, "--method", "saliency");
        assertEquals(ExitCode.DONE, saliency.code(), saliency.err());
        assertTrue(saliency.line("completeness residual").contains("not defined for saliency"));
        Cli.Result mean = Cli.run("explain", TrainedOnce.run(), picture, "--baseline", "mean", "--steps", 16);
        assertEquals(ExitCode.DONE, mean.code(), mean.err());
        assertTrue(mean.line("completeness residual").contains("absolute"));
    }

    @Test
    void explainOfAClassThatIsNotThere() {
        Cli.Result result = Cli.run("explain", TrainedOnce.run(), TrainedOnce.picture(folder, 1), "--target", "seven");
        assertEquals(ExitCode.USAGE, result.code());
        assertTrue(result.err().contains("its classes are 0, 1, 2"), result.err());
    }
}
