package io.quern.data;

import io.quern.backend.WorkerPool;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.QuernException;
import io.quern.tensor.Shape;
import java.util.List;

/**
 * A folder or archive of PNG and JPEG images, one folder per class; made by {@link ImageFolder} and {@link ImageZip}.
 *
 * <p>Opening reads names and the first image. The first {@link #read} decodes all images, in parallel, and keeps them as
 * bytes: a corrupt or odd image is reported then, by name, the first in order whatever the number of threads.
 */
public final class ImageSet implements Dataset {
    private static final int BLOCK = 64;

    private final ImageFiles files;
    private final Shape shape;
    private final int threads;
    private volatile byte[][] images;

    /** @param channels 1 or 3, or 0 for what the first image has */
    ImageSet(ImageFiles files, int channels, int threads) {
        this.files = files;
        this.threads = threads;
        if (channels != 0 && channels != 1 && channels != 3) {
            throw new ArgumentException("channels is " + channels + ", expected 1 (gray) or 3 (RGB)");
        }
        try (ImageDecoder decoder = new ImageDecoder()) {
            ImageDecoder.Image first = decoder.decode(files.name(0), files.bytes(0));
            shape = Shape.of(first.height(), first.width(), channels == 0 ? first.channels() : channels);
        }
    }

    /** Decodes all images now rather than at the first read. Harmless when called again. */
    public synchronized ImageSet load() {
        if (images == null) {
            images = decodeAll();
            files.close();
        }
        return this;
    }

    private byte[][] decodeAll() {
        requireMemory();
        byte[][] decoded = new byte[files.size()][];
        int blocks = (files.size() + BLOCK - 1) / BLOCK;
        RuntimeException[] failures = new RuntimeException[blocks];
        try (WorkerPool pool = new WorkerPool(threads)) {
            pool.run(blocks, block -> {
                try (ImageDecoder decoder = new ImageDecoder()) {
                    int end = Math.min(decoded.length, (block + 1) * BLOCK);
                    for (int index = block * BLOCK; index < end; index++) {
                        decoded[index] = fit(index, decoder.decode(files.name(index), files.bytes(index)));
                    }
                } catch (RuntimeException e) {
                    failures[block] = e;
                }
            });
        }
        for (RuntimeException failure : failures) {
            if (failure != null) {
                throw failure;
            }
        }
        return decoded;
    }

    private void requireMemory() {
        long needed = shape.elements() * files.size();
        long allowed = Runtime.getRuntime().maxMemory() / 4 * 3;
        if (needed > allowed) {
            throw new QuernException(files.origin() + ": " + files.size() + " images of " + shape + " need "
                    + (needed >> 20) + " MiB, of a Java heap of " + (allowed >> 20)
                    + " MiB for data; scale the images down or raise -Xmx");
        }
    }

    /** Checks size and channels; gray images among RGB ones are widened. */
    private byte[] fit(int index, ImageDecoder.Image image) {
        if (image.height() != shape.dim(0) || image.width() != shape.dim(1)) {
            throw odd(index, "image is " + image.width() + "x" + image.height(), "scale all images to one size");
        }
        int channels = shape.dim(2);
        if (image.channels() == channels) {
            return image.pixels();
        }
        if (channels == 1) {
            throw odd(index, "image is RGB", "ask for 3 channels, or convert the images to gray");
        }
        byte[] wide = new byte[image.pixels().length * 3];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = image.pixels()[i / 3];
        }
        return wide;
    }

    private FormatException odd(int index, String what, String remedy) {
        return new FormatException(
                files.name(index),
                "",
                what + ", but " + files.name(0) + " sets the data set to " + shape.dim(1) + "x" + shape.dim(0) + " in "
                        + (shape.dim(2) == 1 ? "gray" : "RGB"),
                remedy);
    }

    /** Path within the folder or archive of image {@code index}, for reports. */
    public String name(int index) {
        return files.name(index);
    }

    @Override
    public int size() {
        return files.size();
    }

    @Override
    public Shape sampleShape() {
        return shape;
    }

    @Override
    public List<String> classNames() {
        return files.classNames();
    }

    @Override
    public void read(int index, float[] destination, int offset) {
        SampleIndex.check(index, files.size());
        byte[][] decoded = images;
        if (decoded == null) {
            decoded = load().images;
        }
        ByteImages.convert(decoded[index], 0, decoded[index].length, destination, offset);
    }

    @Override
    public int label(int index) {
        return files.label(index);
    }
}
