package io.quern.data;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Images without labels, to be classified: any PNG or JPEG files of one size. */
public final class SingleImages {
    private SingleImages() {}

    /**
     * Reads the files, whose labels are all 0. RGB becomes gray by its luma (ITU-R BT.601), gray becomes RGB of equal
     * parts.
     *
     * @param shape (height, width, 1 or 3) that every image must fit
     * @throws FormatException when a file is damaged or of another size
     */
    public static ByteImages read(List<Path> files, Shape shape, List<String> classNames) {
        int length = Math.toIntExact(shape.elements());
        byte[] pixels = new byte[Math.multiplyExact(files.size(), length)];
        try (ImageDecoder decoder = new ImageDecoder()) {
            for (int i = 0; i < files.size(); i++) {
                Path file = files.get(i);
                byte[] image = fit(file.toString(), decoder.decode(file.toString(), bytes(file)), shape);
                System.arraycopy(image, 0, pixels, i * length, length);
            }
        }
        return new ByteImages(shape, pixels, new byte[files.size()], classNames);
    }

    private static byte[] bytes(Path file) {
        Input.requireFile(file);
        try {
            if (Files.size(file) > ImageFiles.MAX_FILE) {
                throw new ArgumentException(file + " has " + Files.size(file) + " bytes, at most " + ImageFiles.MAX_FILE
                        + " are read; scale the image down");
            }
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw Input.failure(file, e);
        }
    }

    private static byte[] fit(String file, ImageDecoder.Image image, Shape shape) {
        if (image.height() != shape.dim(0) || image.width() != shape.dim(1)) {
            throw new FormatException(
                    file,
                    "",
                    "the image is " + image.width() + "x" + image.height() + " pixels, the model takes " + shape.dim(1)
                            + "x" + shape.dim(0),
                    "crop or scale it to that size");
        }
        int channels = shape.dim(2);
        return image.channels() == channels ? image.pixels() : channels == 1 ? gray(image) : rgb(image);
    }

    private static byte[] gray(ImageDecoder.Image image) {
        byte[] pixels = new byte[image.height() * image.width()];
        for (int i = 0; i < pixels.length; i++) {
            int red = image.pixels()[3 * i] & 0xff;
            int green = image.pixels()[3 * i + 1] & 0xff;
            int blue = image.pixels()[3 * i + 2] & 0xff;
            // the weights sum to 1000: equal parts stay as they are
            pixels[i] = (byte) ((299 * red + 587 * green + 114 * blue + 500) / 1000);
        }
        return pixels;
    }

    private static byte[] rgb(ImageDecoder.Image image) {
        byte[] pixels = new byte[image.pixels().length * 3];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = image.pixels()[i / 3];
        }
        return pixels;
    }
}
