package io.quern.data;

import io.quern.backend.WorkerPool;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Tells whether data are the ones that a run began with: samples, labels, classes and their order, as they are read, not
 * as they are stored. Made to notice accidents, not forgery: blocks of samples are summed up by CRC-32C (RFC 3720).
 */
public final class Fingerprint {
    private static final int BLOCK = 256;
    private static final int BYTES = 16;

    private Fingerprint() {}

    /**
     * 32 hexadecimal digits, the same for any number of threads. Reads every sample of the three parts, so that what is damaged
     * is found here, in the order training, validation, test; except where {@link Dataset#formula} stands for them.
     */
    public static String of(Split split, int threads) {
        MessageDigest digest = sha256();
        try (WorkerPool pool = new WorkerPool(threads)) {
            for (Dataset part : List.of(split.train(), split.validation(), split.test())) {
                String head = part.size() + " of " + part.sampleShape() + "\n" + String.join("\n", part.classNames());
                digest.update(head.getBytes(StandardCharsets.UTF_8));
                String formula = part.formula();
                digest.update(formula.isEmpty() ? blocks(part, pool) : formula.getBytes(StandardCharsets.UTF_8));
            }
        }
        return HexFormat.of().formatHex(digest.digest(), 0, BYTES);
    }

    private static byte[] blocks(Dataset data, WorkerPool pool) {
        int blocks = (data.size() + BLOCK - 1) / BLOCK;
        ByteBuffer sums = ByteBuffer.allocate(Long.BYTES * blocks);
        pool.run(blocks, block -> sums.putLong(Long.BYTES * block, block(data, block)));
        return sums.array();
    }

    private static long block(Dataset data, int block) {
        float[] sample = new float[data.sampleLength()];
        ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES + Float.BYTES * sample.length);
        CRC32C sum = new CRC32C();
        int end = Math.min(data.size(), (block + 1) * BLOCK);
        for (int index = block * BLOCK; index < end; index++) {
            data.read(index, sample, 0);
            bytes.putInt(data.label(index));
            bytes.asFloatBuffer().put(sample);
            bytes.clear();
            sum.update(bytes);
            bytes.clear();
        }
        return sum.getValue();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
