package io.quern.data;

/** Random streams of this package ({@code Rng.stream}), far from the small numbers that layers use. */
final class Streams {
    static final int SHUFFLE = 0x44410001;
    static final int SPLIT = 0x44410002;
    static final int STROKES_TRAIN = 0x44410003;
    static final int STROKES_TEST = 0x44410004;

    /** The first of 256: one per augmentation in a chain. */
    static final int AUGMENT = 0x44420000;

    private Streams() {}
}
