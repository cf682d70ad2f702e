package io.quern.backend.vector;

/**
 * Cuts a batch of images into slabs, the tasks of a convolution: some whole images, or a band of rows of one. A slab's
 * part of the source is copied between zeros into scratch, unless nothing outside the image is read. Behind a slab in
 * scratch there is room for reading one vector more.
 *
 * @param images of the batch
 * @param channels of the source
 * @param perSlab images of a slab
 * @param band units of a slab along h; less than h.units() only if perSlab is 1
 * @param direct true when tiles read the source itself
 */
record ConvSlabs(ConvAxis h, ConvAxis w, int images, int channels, int perSlab, int band, boolean direct) {
    /** Bytes of source that should stay in cache while all channels of the results are computed. */
    private static final int BYTES = 96 << 10;
    /** Result pixels of a slab at most, which bounds its table of rows. */
    private static final int PIXELS = 4096;
    /** Slabs to aim at, so that threads can share them evenly. */
    private static final int TASKS = 16;
    /** Result pixels of a slab at least: a few register tiles. */
    private static final int FEW_PIXELS = 64;

    /** The two limits for large slabs. */
    private static final int LARGE_BYTES = 1 << 20, LARGE_PIXELS = 128;

    /** @param copy to read from scratch even where the source would do */
    static ConvSlabs of(ConvAxis h, ConvAxis w, int images, int channels, boolean copy) {
        return of(h, w, images, channels, copy, BYTES, FEW_PIXELS);
    }

    /** Without copying, and larger: for filters that are read again from L3 for every slab. */
    static ConvSlabs large(ConvAxis h, ConvAxis w, int images, int channels) {
        return of(h, w, images, channels, false, LARGE_BYTES, LARGE_PIXELS);
    }

    private static ConvSlabs of(
            ConvAxis h, ConvAxis w, int images, int channels, boolean copy, int bytes, int fewPixels) {
        boolean direct = h.inside() && w.inside() && !copy;
        long row = (long) w.reach(w.units()) * Math.max(1, channels) * Float.BYTES;
        long image = row * h.reach(h.units());
        int pixels = Math.max(1, h.units() * w.units());
        if (image <= bytes && pixels <= PIXELS && (images >= TASKS / 2 || pixels <= fewPixels)) {
            long most = Math.min(bytes / image, PIXELS / pixels);
            long even = Math.max((images + TASKS - 1) / TASKS, fewPixels / pixels);
            return new ConvSlabs(h, w, images, channels, (int) Math.max(1, Math.min(most, even)), h.units(), direct);
        }
        long most = Math.min((bytes / row - (h.high() - h.low() + 1)) / h.stride() + 1, PIXELS / w.units());
        int parts = Math.max(1, TASKS / Math.max(1, images));
        long even = Math.max((h.units() + parts - 1) / parts, (fewPixels + w.units() - 1) / w.units());
        int longest = (int) Math.max(1, Math.min(h.units(), Math.min(most, even)));
        int bands = (h.units() + longest - 1) / longest;
        int band = (h.units() + bands - 1) / bands;
        return new ConvSlabs(h, w, images, channels, 1, band, direct);
    }

    int bands() {
        return (h.units() + band - 1) / band;
    }

    /** Number of slabs. */
    int count() {
        return (images + perSlab - 1) / perSlab * bands();
    }

    int firstImage(int slab) {
        return slab / bands() * perSlab;
    }

    int images(int slab) {
        return Math.min(perSlab, images - firstImage(slab));
    }

    /** The first unit along h. */
    int from(int slab) {
        return slab % bands() * band;
    }

    /** The unit behind the last. */
    int to(int slab) {
        return Math.min(h.units(), from(slab) + band);
    }

    /** True for slabs that differ in extents from the first. */
    boolean odd(int slab) {
        return bands() > 1 ? to(slab) == h.units() : images(slab) < perSlab;
    }

    /** Bytes from a row of the slab to the next. */
    long rowBytes() {
        return (long) (direct ? w.sources() : w.reach(w.units())) * channels * Float.BYTES;
    }

    /** Bytes from an image of the slab to the next. */
    long imageBytes() {
        return rowBytes() * (direct ? h.sources() : h.reach(band));
    }

    /** Bytes of scratch for one slab, a multiple of 64. */
    long bytes() {
        return direct ? 0 : (imageBytes() * perSlab + Lanes.BYTES + 63) / 64 * 64;
    }

    /** The address of what the first unit's lowest tap reads, in the source or in scratch, which is filled. */
    long open(int slab, long source, long scratch) {
        long pixel = (long) channels * Float.BYTES;
        long row = w.sources() * pixel;
        long first = source + (long) firstImage(slab) * h.sources() * row;
        int top = from(slab) * h.stride() + h.low();
        if (direct) {
            return first + top * row + w.low() * pixel;
        }
        int rows = h.reach(to(slab) - from(slab));
        int wide = w.reach(w.units());
        int left = Math.clamp(-(long) w.low(), 0, wide);
        int right = Math.clamp((long) w.low() + wide - w.sources(), 0, wide - left);
        long live = (wide - left - right) * pixel;
        long skipped = Math.max(0, w.low()) * pixel;
        int above = Math.clamp(-(long) top, 0, rows),
                below = Math.clamp((long) top + rows - h.sources(), 0, rows - above);
        for (int i = 0; i < images(slab); i++) {
            long from = first + (long) (i * h.sources() + top + above) * row + skipped;
            Copies.framed(
                    from,
                    row,
                    above,
                    rows - above - below,
                    below,
                    left * pixel,
                    live,
                    right * pixel,
                    scratch + i * imageBytes());
        }
        return scratch;
    }
}
