package io.quern.data;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;

/**
 * The names of images in folders, turned into classes: {@code class/image.png}. Sorted, so that indices and labels do not
 * depend on the file system. Hidden and desktop files are passed over; any other file that is no image is an error, lest
 * samples go missing unseen.
 */
final class ImageNames {
    private static final List<String> LITTER = List.of("thumbs.db", "desktop.ini", "__macosx");

    private final TreeMap<String, List<String>> byClass = new TreeMap<>();

    /** @param name for example {@code cat/0001.png}, with forward slashes, relative to the folder of classes */
    void add(String origin, String name) {
        String[] parts = name.split("/", -1);
        for (String part : parts) {
            if (part.startsWith(".") && !part.equals("..") || LITTER.contains(part.toLowerCase(Locale.ROOT))) {
                return;
            }
        }
        if (parts.length == 1 && !isImage(name)) {
            return;
        }
        if (parts.length != 2) {
            throw new FormatException(
                    origin, "file " + name, "not of the form class/image", "put each image in the folder of its class");
        }
        if (!isImage(name)) {
            throw new FormatException(origin, "file " + name, "not a .png, .jpg or .jpeg file", "convert or remove it");
        }
        byClass.computeIfAbsent(parts[0], c -> new ArrayList<>()).add(name);
    }

    static boolean isImage(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return lower.endsWith(".png") || lower.endsWith(".jpg") || lower.endsWith(".jpeg");
    }

    List<String> classNames() {
        return List.copyOf(byClass.keySet());
    }

    /** All names, class after class. */
    List<String> names(String origin) {
        if (byClass.isEmpty()) {
            throw new FormatException(
                    origin, "", "holds no images", "expected folders named after the classes with .png or .jpg files");
        }
        List<String> all = new ArrayList<>();
        for (List<String> names : byClass.values()) {
            names.sort(Comparator.naturalOrder());
            all.addAll(names);
        }
        return all;
    }

    /** The label of each name of {@link #names}. */
    int[] labels() {
        int[] labels = new int[byClass.values().stream().mapToInt(List::size).sum()];
        int next = 0;
        int label = 0;
        for (List<String> names : byClass.values()) {
            for (int i = 0; i < names.size(); i++) {
                labels[next++] = label;
            }
            label++;
        }
        return labels;
    }
}
