package io.quern.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import io.quern.data.Download.RemoteFile;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.QuernException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PublicDataTest {
    private static final Duration STALL = Duration.ofSeconds(20);
    private static final byte[] CONTENTS = "forty-two bytes that are known beforehand!".getBytes();

    @TempDir
    Path directory;

    private HttpServer server;
    private final AtomicInteger requests = new AtomicInteger();

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    /** Answers {@code /name} with an announced length (0 for chunked) and some bytes. */
    private void serve(String name, int status, long length, byte[] body) {
        server.createContext("/" + name, exchange -> {
            requests.incrementAndGet();
            exchange.sendResponseHeaders(status, length);
            exchange.getResponseBody().write(body);
            exchange.getResponseBody().flush();
            exchange.close();
        });
    }

    private URI uri(String name) {
        return URI.create("http://" + server.getAddress().getAddress().getHostAddress() + ":"
                + server.getAddress().getPort() + "/" + name);
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private RemoteFile file(String name) {
        return new RemoteFile(uri(name), sha256(CONTENTS), false, 1000, 1000);
    }

    private String failure(RemoteFile file, Duration stall) throws IOException {
        String message = assertThrows(QuernException.class, () -> new Download(stall).fetch(file, directory))
                .getMessage();
        try (Stream<Path> left = Files.list(directory)) {
            assertEquals(List.of(), left.toList(), "nothing may be left behind");
        }
        assertTrue(message.contains(file.uri().toString()) && message.contains("--data-dir"), message);
        return message;
    }

    @Test
    void aFileIsFetchedOnceAndThenFound() throws IOException {
        serve("good", 200, CONTENTS.length, CONTENTS);
        Download download = new Download(STALL);
        Path deeper = directory.resolve("a/b");
        Path path = download.fetch(file("good"), deeper);
        assertEquals(deeper.resolve("good"), path);
        assertEquals(-1, Arrays.mismatch(CONTENTS, Files.readAllBytes(path)));
        download.fetch(file("good"), deeper);
        assertEquals(1, requests.get());
    }

    @Test
    void hashesMayBeOfTheUnpackedContents() {
        byte[] packed = Samples.gzip(CONTENTS);
        serve("a.gz", 200, packed.length, packed);
        new Download(STALL).fetch(new RemoteFile(uri("a.gz"), sha256(CONTENTS), true, 1000, 1000), directory);
        assertTrue(Files.isRegularFile(directory.resolve("a.gz")));
    }

    @Test
    void whatIsNotAsExpectedIsNotKept() throws IOException {
        serve("missing", 404, 3, new byte[3]);
        assertTrue(failure(file("missing"), STALL).contains("the server answered 404"));
        serve("wrong", 200, 42, new byte[42]);
        assertTrue(failure(file("wrong"), STALL).contains("its SHA-256 is " + sha256(new byte[42])));
        serve("short", 200, CONTENTS.length + 10, CONTENTS);
        String cut = failure(file("short"), STALL);
        assertTrue(cut.contains("the transfer broke off"), cut);
        serve("long", 200, 0, new byte[5000]);
        assertTrue(failure(file("long"), STALL).contains("more than the expected 1000 bytes"));
        serve("plain.gz", 200, CONTENTS.length, CONTENTS);
        RemoteFile plain = new RemoteFile(uri("plain.gz"), sha256(CONTENTS), true, 1000, 1000);
        assertTrue(failure(plain, STALL).contains("cannot be unpacked"));
        byte[] bomb = Samples.gzip(new byte[100_000]);
        serve("bomb.gz", 200, bomb.length, bomb);
        RemoteFile large = new RemoteFile(uri("bomb.gz"), sha256(new byte[100_000]), true, 1000, 1000);
        assertTrue(failure(large, STALL).contains("more than the expected 1000 bytes unpacked"));
    }

    @Test
    void aTransferThatStandsStillIsGivenUp() throws IOException {
        CountDownLatch finish = new CountDownLatch(1);
        server.createContext("/slow", exchange -> {
            exchange.sendResponseHeaders(200, 42);
            exchange.getResponseBody().write(new byte[3]);
            exchange.getResponseBody().flush();
            try {
                finish.await(20, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            exchange.close();
        });
        long start = System.nanoTime();
        assertTrue(failure(file("slow"), Duration.ofMillis(300)).contains("no byte came for 300 ms"));
        finish.countDown();
        assertTrue(System.nanoTime() - start < 15e9, "it took until the server closed");
    }

    @Test
    void anUnreachableServerIsNamed() throws IOException {
        RemoteFile nowhere = file("x");
        server.stop(0);
        assertTrue(failure(nowhere, Duration.ofSeconds(5)).contains("cannot fetch"));
    }

    private PublicData publicData(Path data, List<RemoteFile> mnist, RemoteFile cifar10) {
        return new PublicData(data, directory.resolve("cache"), 1, mnist, cifar10, STALL);
    }

    @Test
    void mnistComesFromItsFourFiles() {
        Map<String, byte[]> contents = Map.of(
                "train-images-idx3-ubyte.gz", Samples.idx(new byte[40], 10, 2, 2),
                "train-labels-idx1-ubyte.gz", Samples.idx(new byte[] {0, 1, 2, 3, 4, 0, 1, 2, 3, 4}, 10),
                "t10k-images-idx3-ubyte.gz", Samples.idx(new byte[8], 2, 2, 2),
                "t10k-labels-idx1-ubyte.gz", Samples.idx(new byte[] {3, 1}, 2));
        List<RemoteFile> files = contents.entrySet().stream()
                .map(entry -> {
                    byte[] packed = Samples.gzip(entry.getValue());
                    serve(entry.getKey(), 200, packed.length, packed);
                    return new RemoteFile(uri(entry.getKey()), sha256(entry.getValue()), true, 1000, 1000);
                })
                .toList();
        Split split = publicData(null, files, null).mnist(0.2, 1);
        assertEquals(8, split.train().size());
        assertEquals(2, split.validation().size());
        assertEquals(3, split.test().label(0));
        publicData(directory, files, null).mnist(0.2, 2);
        assertEquals(4, requests.get());
    }

    @Test
    void cifar10ComesFromItsArchiveOrADataDirectory() throws IOException {
        byte[] archive = Samples.gzip(Cifar10Test.archive());
        serve(Cifar10.ARCHIVE, 200, archive.length, archive);
        RemoteFile file = new RemoteFile(uri(Cifar10.ARCHIVE), sha256(archive), false, 1 << 20, 1 << 20);
        assertEquals(4, publicData(null, null, file).cifar10(0.2, 1).train().size());
        assertEquals(1, requests.get());

        Path local = Files.createDirectories(directory.resolve("data/cifar10"));
        PublicData data = publicData(directory.resolve("data"), null, file);
        assertTrue(assertThrows(ArgumentException.class, () -> data.cifar10(0.2, 1))
                .getMessage()
                .contains("has neither cifar-10-binary.tar.gz"));
        Files.write(local.resolve(Cifar10.ARCHIVE), archive);
        assertEquals("CIFAR-10", data.cifar10(0.2, 1).description());
        assertEquals(1, requests.get(), "the data directory needs no network");
    }
}
