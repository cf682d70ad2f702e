package io.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The kernels that Java launches before the launch before has ended are those whose first statement waits for it. The simulator
 * fails those that touch memory before that, where it runs them; on a GPU one has to be unlucky.
 */
class OverlapSourcesTest {
    private static final Pattern LAUNCHED = Pattern.compile("overlapping\\((?:kernels, )?\"(\\w+)\"");
    private static final Pattern POOL = Pattern.compile("super\\(kernels, \"(\\w+)\"");
    /** A kernel's name, after the numbers of its bounds, and its first statement. Pools share a macro that waits. */
    private static final Pattern KERNEL =
            Pattern.compile("^QUERN_(POOL_)?KERNEL\\w*\\([\\d, ]*(\\w+)[^{;]*\\{\\s*([^;]*);", Pattern.MULTILINE);

    private static final Pattern POOLS = Pattern.compile("^QUERN_POOL_KERNEL\\(\\d+, (\\w+),", Pattern.MULTILINE);

    private static List<String> texts(String folder, String end) throws IOException {
        Path root = Path.of("").toAbsolutePath();
        while (!Files.exists(root.resolve("mvnw"))) {
            root = root.getParent();
        }
        List<String> texts = new ArrayList<>();
        try (Stream<Path> all = Files.walk(root.resolve(folder))) {
            for (Path path : all.filter(path -> path.toString().endsWith(end)).toList()) {
                texts.add(Files.readString(path));
            }
        }
        return texts;
    }

    /** The same of a kernel for one dtype and of all that share its stem. */
    private static String stem(String name) {
        return name.replaceAll("_(f32|bf16)$", "");
    }

    private static Set<String> matches(Pattern pattern, List<String> texts) {
        return texts.stream()
                .flatMap(text -> pattern.matcher(text).results())
                .map(match -> stem(match.group(1)))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void whatMayOverlapWaitsFirst() throws IOException {
        List<String> sources = texts("cuda/src", ".cu");
        Set<String> waiting = matches(POOLS, sources);
        for (String text : sources) {
            for (Matcher kernel = KERNEL.matcher(text); kernel.find(); ) {
                if (kernel.group(1) == null
                        && kernel.group(3).replace("quern::", "").equals("overlap_launches()")) {
                    waiting.add(stem(kernel.group(2)));
                }
            }
        }
        List<String> classes = texts("java/kernels/src/main/java/io/quern/backend/cuda", ".java");
        Set<String> launched = matches(LAUNCHED, classes);
        launched.addAll(matches(
                POOL,
                classes.stream()
                        .filter(text -> text.contains("extends PoolCuda"))
                        .toList()));
        assertTrue(launched.size() > 20, launched + ": the pattern of their names no longer fits");
        assertEquals(launched, waiting);
        String pools = String.join("", texts("cuda/include", "pool.cuh"));
        assertTrue(Pattern.compile("Strips strips\\), \\{\\s*\\\\\\s*overlap_launches\\(\\);")
                .matcher(pools)
                .find());
    }
}
