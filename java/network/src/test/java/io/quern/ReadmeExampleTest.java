package io.quern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program in the README compiles as it stands there, trains, and saves its weights. */
class ReadmeExampleTest {
    private static final Pattern BLOCK =
            Pattern.compile("<!-- example -->\\s*```java\n(.*?)```\\s*<!-- /example -->", Pattern.DOTALL);

    @Test
    void compilesAndTrains(@TempDir Path folder) throws Exception {
        Matcher block = BLOCK.matcher(Files.readString(readme()));
        assertTrue(block.find(), "the README has no example between its markers");
        Path source = Files.writeString(folder.resolve("Example.java"), block.group(1));
        ByteArrayOutputStream errors = new ByteArrayOutputStream();
        int status = ToolProvider.getSystemJavaCompiler()
                .run(
                        null,
                        null,
                        errors,
                        "-cp",
                        System.getProperty("java.class.path"),
                        "-d",
                        folder.toString(),
                        source.toString());
        assertEquals(0, status, errors.toString(StandardCharsets.UTF_8));
        Path weights = folder.resolve("model.safetensors");
        String output = run(folder, weights);
        Matcher accuracy = Pattern.compile("test accuracy (\\d\\.\\d+)").matcher(output);
        assertTrue(accuracy.find(), output);
        assertTrue(Double.parseDouble(accuracy.group(1)) > 0.6, output);
        assertTrue(Files.size(weights) > 100_000, "weights of " + Files.size(weights) + " bytes");
    }

    private static String run(Path classes, Path weights) throws Exception {
        PrintStream console = System.out;
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {classes.toUri().toURL()})) {
            System.setOut(new PrintStream(output, true, StandardCharsets.UTF_8));
            loader.loadClass("Example").getMethod("main", String[].class).invoke(null, (Object)
                    new String[] {weights.toString()});
        } finally {
            System.setOut(console);
        }
        return output.toString(StandardCharsets.UTF_8);
    }

    private static Path readme() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("mvnw"))) {
            folder = folder.getParent();
        }
        return folder.resolve("README.md");
    }
}
