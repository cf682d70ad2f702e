package io.quern.data;

import java.util.List;

/** Encoded images somewhere: named, labelled, read on demand from any thread. */
interface ImageFiles {
    /** Bytes of one encoded image above which it is not read. */
    int MAX_FILE = 64 << 20;

    /** Directory or archive, for messages. */
    String origin();

    List<String> classNames();

    int size();

    /** Name of file {@code index}, for messages. */
    String name(int index);

    int label(int index);

    /** The encoded bytes of file {@code index}. */
    byte[] bytes(int index);

    /** Ends the use of {@link #bytes}; names and labels stay. */
    default void close() {}
}
