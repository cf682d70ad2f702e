package io.quern.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A folder with ./quern, freshly built as it looks, and with a Maven and JDKs that are scripts: each writes down its arguments.
 * Commands run with the few tools that ./quern needs and see no other JDK.
 */
final class FakeCheckout implements AutoCloseable {
    private static final List<String> TOOLS =
            List.of("sh", "cat", "cp", "dirname", "find", "head", "ln", "mkdir", "mv", "readlink", "rm", "sleep", "tr");

    // a call is its words, one a line, between the program's name and a line of its own
    private static final String LOGGED =
            "#!/bin/sh\n{ printf '%s\\n' \"$0\" \"$PWD\" \"$@\"; printf '\\036\\n'; } >>\"$LOG\"\n";
    private static final String JAVA = LOGGED
            + "for word; do case $word in -XX:ArchiveClassesAtExit=*) echo classes >\"${word#*=}\"; exit 0 ;; esac; done\n"
            + "exit \"${STATUS:-0}\"\n";
    private static final String MAVEN = LOGGED
            + "[ -z \"${BUILD-}\" ] || exit \"$BUILD\"\ncd \"$(dirname -- \"$0\")/java/cli/target\" || exit\n"
            + "echo cli >quern-cli.jar; echo kernels >kernels.jar; printf '%s' \"$PWD/kernels.jar\" >module-path\n";

    /** How a command ended: what it said on both streams, and the calls that it made, each with its arguments. */
    record Ended(int status, String said, List<String> programs, Path folder, List<List<String>> calls) {
        int builds() {
            return (int)
                    programs.stream().filter(name -> name.endsWith("/mvnw")).count();
        }

        /** The last program that ran. */
        Path java() {
            assertTrue(!programs.isEmpty(), () -> "nothing ran: " + said);
            return Path.of(programs.getLast());
        }
    }

    private final Path root;
    private final Path tools;
    private final Path log;
    private final Map<String, String> environment = new TreeMap<>();

    FakeCheckout(Path root) throws IOException {
        assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "no /bin/sh, which ./quern is written for");
        this.root = root;
        log = root.resolveSibling("log");
        tools = Files.createDirectories(root.resolveSibling("tools"));
        for (String tool : TOOLS) {
            Optional<Path> file = onThePath(tool);
            assumeTrue(file.isPresent(), "no " + tool + " on the PATH, which ./quern needs");
            Files.createSymbolicLink(tools.resolve(tool), file.get());
        }
        Optional<Path> compare = onThePath("cmp"); // without which it copies more often
        if (compare.isPresent()) {
            Files.createSymbolicLink(tools.resolve("cmp"), compare.get());
        }
        Path real = realRoot();
        Files.createDirectories(root.resolve(".mvn"));
        Files.createDirectories(root.resolve("java/cli/target"));
        Files.createDirectories(root.resolve("java/cli/src/main"));
        Files.writeString(root.resolve("pom.xml"), "");
        Files.writeString(root.resolve("java/cli/pom.xml"), "");
        Files.writeString(root.resolve("java/cli/src/main/Main.java"), "");
        script(root.resolve("quern"), Files.readString(real.resolve("quern")));
        script(root.resolve("mvnw"), MAVEN);
        // of the usual places those in the home folder alone: this machine's are not the test's
        String find = Files.readString(real.resolve(".mvn/find-jdk.sh"));
        for (String place : List.of("/usr/lib/jvm/*", "/opt/*jdk*", "/Library/Java/*")) {
            String start = place.substring(0, place.indexOf('*'));
            assertTrue(find.contains(start), "find-jdk.sh looks no longer at " + place);
            find = find.replace(start, root + "/none" + start);
        }
        Files.writeString(root.resolve(".mvn/find-jdk.sh"), find);
        Files.writeString(root.resolve("java/cli/target/built"), "");
        set("PATH", tools);
        set("LOG", log);
        set("HOME", root);
    }

    private static Path realRoot() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("mvnw"))) {
            folder = folder.getParent();
        }
        return folder;
    }

    private static Optional<Path> onThePath(String tool) {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .map(place -> Path.of(place, tool).toAbsolutePath())
                .filter(Files::isExecutable)
                .findFirst();
    }

    private static void script(Path file, String text) throws IOException {
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    Path root() {
        return root;
    }

    Path quern() {
        return root.resolve("quern");
    }

    /** The folder that is the PATH. */
    Path tools() {
        return tools;
    }

    /** As it is before its first use. */
    void unbuild() throws IOException {
        Files.delete(root.resolve("java/cli/target/built"));
    }

    void set(String variable, Object value) {
        environment.put(variable, value.toString());
    }

    void unset(String variable) {
        environment.remove(variable);
    }

    /** Makes a JDK in a folder beside the checkout. */
    Path jdk(String name, String version) throws IOException {
        Path home = root.resolveSibling(name);
        Files.createDirectories(home.resolve("bin"));
        script(home.resolve("bin/java"), JAVA);
        script(home.resolve("bin/javac"), LOGGED);
        Files.writeString(
                home.resolve("release"),
                "IMPLEMENTOR=\"Nobody\"\nJAVA_VERSION=\"" + version + "\"\nOS_NAME=\"Linux\"\n");
        return home;
    }

    Ended run(String... arguments) throws IOException, InterruptedException {
        return run(root, quern(), arguments);
    }

    Ended run(Path folder, Path program, String... arguments) throws IOException, InterruptedException {
        Files.deleteIfExists(log);
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(arguments));
        Path said = root.resolveSibling("said");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(said.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        Process process = builder.start();
        process.getOutputStream().close();
        if (!process.waitFor(30, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError(command + " does not end: " + Files.readString(said));
        }
        List<String> programs = new ArrayList<>();
        List<List<String>> calls = new ArrayList<>();
        Path in = folder;
        String text = Files.exists(log) ? Files.readString(log) : "";
        for (String call : text.split("\036\n")) {
            if (!call.isEmpty()) {
                List<String> words =
                        List.of(call.substring(0, call.length() - 1).split("\n", -1));
                programs.add(words.get(0));
                in = Path.of(words.get(1));
                calls.add(words.subList(2, words.size()));
            }
        }
        return new Ended(process.exitValue(), Files.readString(said), programs, in, calls);
    }

    /** Takes the links to the machine's tools away, which a temporary folder leaves, and warns of. */
    @Override
    public void close() throws IOException {
        try (Stream<Path> links = Files.list(tools)) {
            for (Path link : links.toList()) {
                Files.delete(link);
            }
        }
    }
}
