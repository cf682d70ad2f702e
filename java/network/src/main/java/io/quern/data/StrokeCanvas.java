package io.quern.data;

/** Draws line segments with round ends and soft edges on one gray image, brightness 0..1, pixel centres at 0.5. */
final class StrokeCanvas {
    private final int size;
    private final float[] ink;

    StrokeCanvas(int size) {
        this.size = size;
        this.ink = new float[size * size];
    }

    /**
     * Draws from (x0, y0) to (x1, y1). Overlapping segments do not add up.
     *
     * @param radius half the thickness, in pixels
     * @param softness distance over which the edge fades, in pixels
     * @param strength brightness at the centre
     */
    void segment(double x0, double y0, double x1, double y1, double radius, double softness, double strength) {
        double reach = radius + softness;
        int left = (int) Math.max(0, Math.floor(Math.min(x0, x1) - reach));
        int right = (int) Math.min(size - 1, Math.ceil(Math.max(x0, x1) + reach));
        int top = (int) Math.max(0, Math.floor(Math.min(y0, y1) - reach));
        int bottom = (int) Math.min(size - 1, Math.ceil(Math.max(y0, y1) + reach));
        double dx = x1 - x0;
        double dy = y1 - y0;
        double square = dx * dx + dy * dy;
        for (int y = top; y <= bottom; y++) {
            for (int x = left; x <= right; x++) {
                double px = x + 0.5 - x0;
                double py = y + 0.5 - y0;
                double t = square == 0 ? 0 : Math.clamp((px * dx + py * dy) / square, 0.0, 1.0);
                double ex = px - t * dx;
                double ey = py - t * dy;
                double distance = Math.sqrt(ex * ex + ey * ey);
                double cover = Math.clamp((radius + softness / 2 - distance) / softness, 0.0, 1.0);
                int pixel = y * size + x;
                ink[pixel] = (float) Math.max(ink[pixel], cover * strength);
            }
        }
    }

    /** Wipes out a band of the given half width around a line, as a stain or a fold does. */
    void erase(double x0, double y0, double x1, double y1, double radius) {
        StrokeCanvas mask = new StrokeCanvas(size);
        mask.segment(x0, y0, x1, y1, radius, 1, 1);
        for (int pixel = 0; pixel < ink.length; pixel++) {
            ink[pixel] *= 1 - mask.ink[pixel];
        }
    }

    /** Writes bytes: brightness on a background, with noise, clamped to 0..255. */
    void develop(double background, double noise, Draws draws, byte[] pixels, int offset) {
        for (int pixel = 0; pixel < ink.length; pixel++) {
            double value = background + (1 - background) * ink[pixel] + noise * draws.roughlyNormal();
            pixels[offset + pixel] = (byte) (int) (Math.clamp(value, 0.0, 1.0) * 255 + 0.5);
        }
    }
}
