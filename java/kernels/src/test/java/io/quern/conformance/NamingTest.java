package io.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.op.Op;
import io.quern.op.Ops;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** One stem finds all of an op, one name means one class, and no kernel is without its op. */
class NamingTest {
    private static final Path ROOT = root();
    private static final Set<String> OPS = Ops.ALL.stream().map(Op::name).collect(Collectors.toSet());

    private static Path root() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("mvnw"))) {
            folder = folder.getParent();
        }
        return folder;
    }

    private static List<Path> sources(String... folders) throws IOException {
        List<Path> found = new ArrayList<>();
        for (String folder : folders) {
            try (Stream<Path> all = Files.walk(ROOT.resolve(folder))) {
                all.filter(path -> path.toString().endsWith(".java")
                                && !path.getFileName().toString().contains("-info"))
                        .forEach(found::add);
            }
        }
        return found;
    }

    private static String name(Path source) {
        return source.getFileName().toString().replace(".java", "");
    }

    @Test
    void noSimpleNameOccursTwice() throws IOException {
        List<String> twice = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (Path source :
                sources("java/kernels/src", "java/kernels-cuda/src", "java/network/src", "java/cli/src", "bench/src")) {
            if (!seen.add(name(source))) {
                twice.add(ROOT.relativize(source).toString());
            }
        }
        assertEquals(List.of(), twice);
    }

    @Test
    void everyKernelBelongsToAnOp() throws IOException {
        List<String> orphans = new ArrayList<>();
        for (Path source : sources("java/kernels/src/main/java/io/quern/backend")) {
            String text = Files.readString(source);
            String stem = name(source).replaceAll("(Vector|Scalar|Cuda)$", "");
            boolean kernel = text.contains(" implements Kernel<") && !text.contains("abstract class " + name(source));
            if (kernel && !OPS.contains(stem)) {
                orphans.add(name(source));
            }
        }
        assertEquals(List.of(), orphans);
    }

    @Test
    void everyOpClassIsInTheCatalogue() throws IOException {
        for (Path source : sources("java/kernels/src/main/java/io/quern/op")) {
            if (Files.readString(source).contains(" implements Op<")) {
                assertTrue(OPS.contains(name(source)), name(source) + " has no line in Ops");
            }
        }
    }

    @Test
    void longFilesSayWhy() throws IOException {
        List<String> silent = new ArrayList<>();
        for (Path source :
                sources("java/kernels/src", "java/kernels-cuda/src", "java/network/src", "java/cli/src", "bench/src")) {
            List<String> lines = Files.readAllLines(source);
            if (lines.size() > 400 && !lines.getFirst().startsWith("// Long because ")) {
                silent.add(ROOT.relativize(source) + ": " + lines.size() + " lines");
            }
        }
        assertEquals(List.of(), silent, "over 400 lines: split, or begin with '// Long because ...'");
    }
}
