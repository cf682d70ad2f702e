package io.quern.data;

import io.quern.data.Download.RemoteFile;
import io.quern.tensor.ArgumentException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * Data sets with a public home: read from a data directory when it has them, otherwise from a cache that is filled at
 * first use. What is fetched is checked against a pinned SHA-256.
 *
 * <p>MNIST: the four files as published, plain or gzip, in {@code mnist/}. CIFAR-10: the published binary archive, its
 * unpacked files, or {@code train.zip} and {@code test.zip} with one folder of images per class, in {@code cifar10/}.
 */
public final class PublicData {
    private static final String MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/";

    /** Hashes of the unpacked files: mirrors pack them anew. */
    private static final List<RemoteFile> MNIST_FILES = List.of(
            mnist("train-images-idx3-ubyte.gz", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
            mnist("train-labels-idx1-ubyte.gz", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
            mnist("t10k-images-idx3-ubyte.gz", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
            mnist("t10k-labels-idx1-ubyte.gz", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"));

    private static final RemoteFile CIFAR10_ARCHIVE = new RemoteFile(
            URI.create("https://www.cs.toronto.edu/~kriz/" + Cifar10.ARCHIVE),
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            false,
            200L << 20,
            200L << 20);

    private final Path dataDirectory;
    private final Path cache;
    private final int threads;
    private final List<RemoteFile> mnistFiles;
    private final RemoteFile cifar10Archive;
    private final Download download;

    PublicData(
            Path dataDirectory,
            Path cache,
            int threads,
            List<RemoteFile> mnistFiles,
            RemoteFile cifar10Archive,
            Duration stall) {
        this.dataDirectory = dataDirectory;
        this.cache = cache;
        this.threads = threads;
        this.mnistFiles = mnistFiles;
        this.cifar10Archive = cifar10Archive;
        this.download = new Download(stall);
    }

    /**
     * @param dataDirectory where the data may already be, read only; null for none
     * @param cache filled at first use, see {@link #defaultCache}
     * @param threads for decoding images
     */
    public static PublicData of(Path dataDirectory, Path cache, int threads) {
        if (dataDirectory != null && !Files.isDirectory(dataDirectory)) {
            throw new ArgumentException("there is no data directory " + dataDirectory + "; check the path");
        }
        return new PublicData(dataDirectory, cache, threads, MNIST_FILES, CIFAR10_ARCHIVE, Duration.ofSeconds(60));
    }

    /** {@code ~/.cache/quern}. */
    public static Path defaultCache() {
        return Path.of(System.getProperty("user.home"), ".cache", "quern");
    }

    private static RemoteFile mnist(String name, String sha256) {
        return new RemoteFile(URI.create(MNIST + name), sha256, true, 64L << 20, 64L << 20);
    }

    /** MNIST with a stratified share of the training digits set aside for validation. */
    public Split mnist(double validationShare, long seed) {
        Path local = dataDirectory == null ? null : dataDirectory.resolve("mnist");
        Path directory = local != null && Files.isDirectory(local) ? local : fetchMnist();
        List<ByteImages> parts = Idx.directory(directory);
        return Split.of(parts.get(0), parts.get(1), validationShare, seed, "MNIST");
    }

    private Path fetchMnist() {
        Path directory = cache.resolve("mnist");
        mnistFiles.forEach(file -> download.fetch(file, directory));
        return directory;
    }

    /** CIFAR-10 with a stratified share of the training images set aside for validation. */
    public Split cifar10(double validationShare, long seed) {
        Path local = dataDirectory == null ? null : dataDirectory.resolve("cifar10");
        if (local != null && Files.isDirectory(local)) {
            return localCifar10(local, validationShare, seed);
        }
        Path archive = download.fetch(cifar10Archive, cache.resolve("cifar10"));
        return cifar10(Cifar10.fromArchive(archive), validationShare, seed);
    }

    private static Split cifar10(Cifar10.Parts parts, double validationShare, long seed) {
        return Split.of(parts.train(), parts.test(), validationShare, seed, "CIFAR-10");
    }

    private Split localCifar10(Path local, double validationShare, long seed) {
        Path folder = Stream.of(local, local.resolve(Cifar10.FOLDER))
                .filter(path -> Files.isRegularFile(path.resolve("test_batch.bin")))
                .findFirst()
                .orElse(null);
        if (folder != null) {
            return cifar10(Cifar10.fromFolder(folder), validationShare, seed);
        }
        if (Files.isRegularFile(local.resolve(Cifar10.ARCHIVE))) {
            return cifar10(Cifar10.fromArchive(local.resolve(Cifar10.ARCHIVE)), validationShare, seed);
        }
        Path train = local.resolve("train.zip");
        Path test = local.resolve("test.zip");
        if (Files.isRegularFile(train) && Files.isRegularFile(test)) {
            return Split.of(
                    ImageZip.open(train, 3, threads),
                    ImageZip.open(test, 3, threads),
                    validationShare,
                    seed,
                    "CIFAR-10 from images in ZIP archives; where these are JPEG, accuracies are a little below those"
                            + " on the original pixels");
        }
        throw new ArgumentException(local + " has neither " + Cifar10.ARCHIVE + ", nor its unpacked .bin files, nor"
                + " train.zip and test.zip; put one of them there");
    }
}
