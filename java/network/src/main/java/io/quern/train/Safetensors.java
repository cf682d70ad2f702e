package io.quern.train;

import io.quern.data.AtomicFiles;
import io.quern.data.FormatException;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.DType;
import io.quern.tensor.QuernException;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Tensors by name in a file: eight bytes of length, a JSON header, the elements. Nothing in it is executed, and nothing
 * is allocated before the header has been checked against the length of the file.
 *
 * <p>Equal tensors give equal bytes. F32, F64, BF16 and I32 can be stored.
 */
public final class Safetensors implements AutoCloseable {
    private static final int LENGTH_BYTES = 8;
    private static final long MAX_HEADER = 100_000_000;
    private static final int CHUNK = 1 << 16;
    private static final String SEAL = "sha256";

    private final Path path;
    private final FileChannel channel;
    private final SafetensorsHeader header;
    private final long dataStart;

    private Safetensors(Path path, FileChannel channel) throws IOException {
        this.path = path;
        this.channel = channel;
        long size = channel.size();
        if (size < LENGTH_BYTES) {
            throw SafetensorsHeader.fail(path.toString(), "the file has only " + size + " bytes", null);
        }
        long headerBytes = read(0, LENGTH_BYTES).getLong();
        if (headerBytes < 0 || headerBytes > Math.min(MAX_HEADER, size - LENGTH_BYTES)) {
            throw SafetensorsHeader.fail(
                    path.toString(),
                    "the header would have " + Long.toUnsignedString(headerBytes) + " bytes in a file of " + size
                            + "; at most " + MAX_HEADER + " are accepted",
                    null);
        }
        dataStart = LENGTH_BYTES + headerBytes;
        header = SafetensorsHeader.parse(
                path.toString(), read(LENGTH_BYTES, (int) headerBytes).array(), size - dataStart);
    }

    /**
     * Opens a file and checks its header; close it.
     *
     * @throws FormatException when the file is not a complete safetensors file
     */
    public static Safetensors open(Path path) {
        FileChannel channel = null;
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ);
            Safetensors file = new Safetensors(path, channel);
            channel = null;
            return file;
        } catch (IOException e) {
            throw new QuernException("cannot read " + path + ": " + e + "; check its name and permissions", e);
        } finally {
            closeQuietly(channel);
        }
    }

    /** Writes host tensors, replacing the file as a whole. */
    public static void write(Path path, Map<String, Tensor> tensors, Map<String, String> metadata) {
        SafetensorsHeader header = layout(tensors, metadata);
        byte[] text = header.toBytes();
        ByteBuffer buffer = ByteBuffer.allocate(CHUNK).order(ByteOrder.LITTLE_ENDIAN);
        AtomicFiles.write(path, out -> {
            ByteBuffer length = ByteBuffer.allocate(LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            out.write(length.putLong(text.length).array());
            out.write(text);
            for (String name : header.entries().keySet()) {
                TensorBytes.forEachChunk(
                        tensors.get(name), buffer, chunk -> out.write(chunk.array(), 0, chunk.limit()));
            }
        });
    }

    /**
     * The metadata with a SHA-256 of themselves and of the tensors added, for {@link #requireIntact} to check; the format
     * itself has no checksum.
     */
    static Map<String, String> sealed(Map<String, Tensor> tensors, Map<String, String> metadata) {
        MessageDigest digest = sha256();
        update(digest, metadata);
        ByteBuffer buffer = ByteBuffer.allocate(CHUNK).order(ByteOrder.LITTLE_ENDIAN);
        try {
            for (String name : layout(tensors, Map.of()).entries().keySet()) {
                TensorBytes.forEachChunk(tensors.get(name), buffer, digest::update);
            }
        } catch (IOException e) {
            throw new IllegalStateException("a digest cannot fail", e);
        }
        Map<String, String> sealed = new TreeMap<>(metadata);
        sealed.put(SEAL, HexFormat.of().formatHex(digest.digest()));
        return sealed;
    }

    /**
     * Reads everything once.
     *
     * @throws FormatException when the file is not {@link #sealed}, or tensors or metadata have changed since
     */
    void requireIntact() {
        MessageDigest digest = sha256();
        update(digest, metadata());
        long bytes = header.dataBytes();
        for (long at = 0; at < bytes; at += CHUNK) {
            digest.update(data(at, (int) Math.min(CHUNK, bytes - at)));
        }
        if (!HexFormat.of().formatHex(digest.digest()).equals(metadata().get(SEAL))) {
            throw SafetensorsHeader.fail(path.toString(), "the contents differ from what was saved", null);
        }
    }

    private static void update(MessageDigest digest, Map<String, String> metadata) {
        new TreeMap<>(metadata).forEach((key, value) -> {
            if (!key.equals(SEAL)) {
                digest.update((key + '\0' + value + '\0').getBytes(StandardCharsets.UTF_8));
            }
        });
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static SafetensorsHeader layout(Map<String, Tensor> tensors, Map<String, String> metadata) {
        Map<String, DType> dtypes = new LinkedHashMap<>();
        Map<String, Shape> shapes = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> {
            dtypes.put(name, tensor.dtype());
            shapes.put(name, tensor.shape());
        });
        return SafetensorsHeader.of(dtypes, shapes, metadata);
    }

    /** Names of the tensors, in the order of the file. */
    public Set<String> names() {
        return header.entries().keySet();
    }

    /** Free text by key. */
    public Map<String, String> metadata() {
        return header.metadata();
    }

    public Shape shape(String name) {
        return entry(name).shape();
    }

    public DType dtype(String name) {
        return entry(name).dtype();
    }

    private SafetensorsHeader.Entry entry(String name) {
        SafetensorsHeader.Entry entry = header.entries().get(name);
        if (entry == null) {
            throw new ArgumentException("no tensor '" + name + "' in " + path + "; there are " + names());
        }
        return entry;
    }

    /** A new host tensor with the stored values; close it. */
    public Tensor load(String name) {
        SafetensorsHeader.Entry entry = entry(name);
        Tensor tensor = Tensor.allocate(entry.dtype(), entry.shape());
        read(name, tensor);
        return tensor;
    }

    /** Copies a stored tensor into a host tensor of the same shape, converting the dtype if it differs. */
    public void read(String name, Tensor target) {
        SafetensorsHeader.Entry entry = entry(name);
        if (!entry.shape().equals(target.shape())) {
            throw new ArgumentException("tensor '" + name + "' in " + path + " has shape " + entry.shape()
                    + ", expected " + target.shape() + "; is it of the same model?");
        }
        int bytes = entry.dtype().bytes();
        Tensor flat = target.isContiguous() ? target.reshape(target.elements()) : null;
        int step = CHUNK / bytes;
        for (long from = 0; from < target.elements(); from += step) {
            int count = (int) Math.min(step, target.elements() - from);
            ByteBuffer chunk = data(entry.begin() + from * bytes, count * bytes);
            TensorBytes.take(chunk, entry.dtype(), target, flat, from, count);
        }
    }

    private ByteBuffer data(long at, int count) {
        try {
            return read(dataStart + at, count);
        } catch (IOException e) {
            throw new QuernException("cannot read " + path + ": " + e, e);
        }
    }

    private ByteBuffer read(long at, int count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, at + buffer.position()) < 0) {
                throw new EOFException("the file became shorter while it was read");
            }
        }
        return buffer.flip();
    }

    private static void closeQuietly(FileChannel channel) {
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                System.getLogger(Safetensors.class.getName()).log(System.Logger.Level.DEBUG, "close failed", e);
            }
        }
    }

    @Override
    public void close() {
        closeQuietly(channel);
    }
}
