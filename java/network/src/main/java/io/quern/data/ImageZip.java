package io.quern.data;

import io.quern.tensor.ArgumentException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * Images in a ZIP archive, one folder per class. Read through the central directory; names are never used as paths.
 *
 * <p>Limits: 100,000 entries, 64 MiB per image, a compression ratio of 200, no duplicate names, and packed sizes that sum
 * to no more than the archive (overlapping entries).
 */
public final class ImageZip implements ImageFiles {
    static final int MAX_ENTRIES = 100_000;
    static final int MAX_RATIO = 200;

    private final Path archive;
    private final ZipFile zip;
    private final List<String> classNames;
    private final List<ZipEntry> entries;
    private final int[] labels;

    private ImageZip(Path archive, ZipFile zip, String part, Map<String, ZipEntry> all) {
        this.archive = archive;
        this.zip = zip;
        ImageNames found = new ImageNames();
        for (String name : all.keySet()) {
            if (name.startsWith(part)) {
                found.add(archive.toString(), name.substring(part.length()));
            }
        }
        entries = found.names(archive + (part.isEmpty() ? "" : "!" + part)).stream()
                .map(name -> all.get(part + name))
                .toList();
        classNames = found.classNames();
        labels = found.labels();
    }

    /**
     * Lists the archive and decodes its first image.
     *
     * @param channels 1 or 3, or 0 for what the first image has
     * @param threads for decoding
     */
    public static ImageSet open(Path archive, int channels, int threads) {
        return open(archive, "", channels, threads);
    }

    /** Like {@link #open(Path, int, int)} for what is under one folder of the archive, {@code "train/"} for example. */
    public static ImageSet open(Path archive, String part, int channels, int threads) {
        Input.requireFile(archive);
        ZipFile zip = null;
        try {
            zip = openZip(archive);
            ImageZip files = new ImageZip(archive, zip, part, list(archive, zip));
            ImageSet images = new ImageSet(files, channels, threads);
            zip = null;
            return images;
        } finally {
            closeQuietly(zip);
        }
    }

    /** The top-level folders of an archive. */
    static List<String> topFolders(Path archive) {
        Input.requireFile(archive);
        ZipFile zip = openZip(archive);
        try {
            return list(archive, zip).keySet().stream()
                    .filter(name -> name.indexOf('/') > 0)
                    .map(name -> name.substring(0, name.indexOf('/')))
                    .distinct()
                    .sorted()
                    .toList();
        } finally {
            closeQuietly(zip);
        }
    }

    private static ZipFile openZip(Path archive) {
        try {
            return new ZipFile(archive.toFile());
        } catch (ZipException | EOFException | RuntimeException e) {
            throw corrupt(archive.toString(), e);
        } catch (IOException e) {
            throw Input.failure(archive, e);
        }
    }

    private static void closeQuietly(ZipFile zip) {
        try {
            if (zip != null) {
                zip.close();
            }
        } catch (IOException e) {
            System.getLogger("io.quern.data").log(System.Logger.Level.DEBUG, "closing " + zip.getName(), e);
        }
    }

    private static Map<String, ZipEntry> list(Path archive, ZipFile zip) {
        try {
            long length = Files.size(archive);
            if (zip.size() > MAX_ENTRIES) {
                throw refused(archive, zip.size() + " entries, at most " + MAX_ENTRIES);
            }
            Map<String, ZipEntry> all = new HashMap<>();
            long packed = 0;
            for (ZipEntry entry : (Iterable<ZipEntry>) zip.stream().map(ZipEntry.class::cast)::iterator) {
                if (entry.isDirectory()) {
                    continue;
                }
                packed += Math.max(0, entry.getCompressedSize());
                check(archive, entry, packed, length);
                if (all.put(entry.getName(), entry) != null) {
                    throw refused(archive, "two entries named " + entry.getName());
                }
            }
            return all;
        } catch (IOException e) {
            throw Input.failure(archive, e);
        } catch (FormatException e) {
            throw e;
        } catch (RuntimeException e) {
            throw corrupt(archive.toString(), e);
        }
    }

    private static void check(Path archive, ZipEntry entry, long packedSoFar, long length) {
        if (entry.getSize() > MAX_FILE) {
            throw refused(archive, entry.getName() + " unpacks to " + entry.getSize() + " bytes, at most " + MAX_FILE);
        }
        // small entries of equal bytes may pack better than any photograph, and do no harm
        if (entry.getSize() > 1 << 16 && entry.getSize() / Math.max(1, entry.getCompressedSize()) > MAX_RATIO) {
            throw refused(archive, entry.getName() + " unpacks to more than " + MAX_RATIO + " times its size");
        }
        if (packedSoFar > length) {
            throw refused(archive, "its entries overlap");
        }
        if (entry.getName().startsWith("/")
                || List.of(entry.getName().split("[/\\\\]")).contains("..")) {
            throw refused(archive, "entry name " + entry.getName() + " leads out of the archive");
        }
    }

    private static FormatException refused(Path archive, String what) {
        return new FormatException(archive.toString(), "", what, "pack the images again with an ordinary tool");
    }

    private static FormatException corrupt(String name, Exception e) {
        return new FormatException(name, "", "corrupt ZIP data (" + e.getMessage() + ")", "fetch or pack it again", e);
    }

    @Override
    public String origin() {
        return archive.toString();
    }

    @Override
    public List<String> classNames() {
        return classNames;
    }

    @Override
    public int size() {
        return entries.size();
    }

    @Override
    public String name(int index) {
        return archive + "!" + entries.get(index).getName();
    }

    @Override
    public int label(int index) {
        return labels[index];
    }

    @Override
    public void close() {
        closeQuietly(zip);
    }

    @Override
    public byte[] bytes(int index) {
        ZipEntry entry = entries.get(index);
        try (InputStream in = zip.getInputStream(entry)) {
            if (in == null) {
                throw new ArgumentException("no entry " + name(index));
            }
            // the declared size was checked against the limits, so it bounds what is read whatever follows
            byte[] bytes = in.readNBytes((int) entry.getSize());
            if (bytes.length != entry.getSize() || in.read() >= 0) {
                throw new FormatException(
                        name(index),
                        "",
                        "the entry is not as long as the directory says, " + entry.getSize() + " bytes",
                        "fetch or pack the archive again");
            }
            return bytes;
        } catch (ZipException | EOFException | IllegalArgumentException e) {
            throw corrupt(name(index), e);
        } catch (IOException e) {
            throw Input.failure(name(index), e);
        }
    }
}
