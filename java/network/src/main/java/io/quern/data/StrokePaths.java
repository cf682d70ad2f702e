package io.quern.data;

import java.util.ArrayList;
import java.util.List;

/**
 * How the digits are written: for each a few styles, as paths in a unit square, x to the right and y down. M starts a
 * stroke, L draws a line, C a cubic Bezier curve with two control points, as in SVG.
 */
final class StrokePaths {
    private static final String[][] STYLES = {
        {
            "M.5 .02 C.15 .02 .12 .98 .5 .98 C.88 .98 .85 .02 .5 .02",
            "M.58 .06 C.2 -.05 .08 .95 .48 .98 C.92 1 .88 .1 .42 .04",
            "M.35 .1 C-.05 .5 .25 1.02 .55 .97 C.95 .88 .85 -.1 .35 .1"
        },
        {
            "M.5 0 L.5 1",
            "M.3 .24 L.54 0 L.54 1",
            "M.3 .22 L.52 0 L.52 1 M.26 1 L.78 1",
            "M.33 .2 C.42 .15 .5 .1 .55 0 L.5 1"
        },
        {
            "M.18 .28 C.2 -.08 .85 -.08 .8 .3 C.77 .55 .3 .75 .17 .98 L.85 .98",
            "M.2 .25 C.25 -.08 .85 -.05 .78 .32 C.7 .6 .4 .8 .25 .92 C.1 1.02 .15 .75 .35 .85 C.5 .93 .65 1.05 .85 .9",
            "M.2 .08 C.45 -.02 .85 .02 .8 .3 C.75 .5 .35 .8 .16 .96 C.4 .92 .6 .95 .86 .98"
        },
        {
            "M.2 .12 C.4 -.08 .82 0 .78 .25 C.75 .45 .55 .47 .42 .47 C.6 .47 .85 .5 .83 .75 C.8 1.05 .35 1.05 .17 .85",
            "M.2 .02 L.78 .02 L.45 .4 C.7 .38 .86 .52 .83 .74 C.8 1.05 .35 1.05 .17 .85",
            "M.22 .08 C.5 -.05 .8 .05 .75 .28 C.7 .42 .6 .46 .45 .5 C.75 .5 .88 .65 .78 .83 C.65 1.02 .35 1 .2 .92"
        },
        {
            "M.65 1 L.65 0 L.12 .68 L.88 .68",
            "M.22 0 L.18 .55 L.8 .55 M.68 .02 L.66 1",
            "M.25 .02 C.2 .3 .1 .52 .3 .54 C.5 .57 .65 .52 .78 .45 M.75 0 L.68 1",
            "M.55 0 L.15 .6 L.85 .6 M.62 .3 L.58 1"
        },
        {
            "M.78 .02 L.28 .02 L.24 .43 C.45 .3 .85 .38 .82 .68 C.8 1.03 .35 1.06 .17 .86",
            "M.3 .05 L.25 .45 C.45 .33 .85 .4 .8 .7 C.75 1.03 .35 1.03 .18 .88 M.3 .04 L.82 0",
            "M.8 .02 C.6 .06 .4 .04 .32 .03 C.3 .2 .26 .35 .24 .45 C.6 .36 .8 .5 .76 .72 C.7 .95 .45 1 .2 .97"
        },
        {
            "M.7 .02 C.35 .15 .15 .5 .2 .75 C.25 1.07 .82 1.05 .8 .7 C.78 .42 .3 .42 .21 .7",
            "M.62 0 L.28 .5 C.1 .8 .25 1 .5 .99 C.8 .98 .85 .58 .55 .52 C.4 .5 .28 .58 .22 .7",
            "M.55 0 C.3 .2 .18 .55 .22 .8 C.3 1.05 .7 1.02 .72 .78 C.74 .55 .4 .52 .24 .78"
        },
        {
            "M.15 .03 L.82 .03 L.38 1",
            "M.15 .03 L.82 .03 L.4 1 M.3 .5 L.76 .5",
            "M.17 .1 C.3 0 .6 .08 .82 .02 C.65 .3 .48 .6 .45 1",
            "M.17 .2 L.18 .03 L.82 .03 C.6 .35 .45 .7 .42 1"
        },
        {
            "M.5 .47 C.15 .4 .15 .02 .5 .02 C.85 .02 .85 .4 .5 .47 C.08 .55 .1 .98 .5 .98 C.9 .98 .92 .55 .5 .47",
            "M.75 .15 C.6 -.08 .2 0 .25 .25 C.3 .45 .8 .5 .78 .78 C.75 1.05 .22 1.05 .22 .75 C.25 .5 .75 .4 .75 .15",
            "M.5 .02 C.2 .02 .2 .45 .5 .45 C.8 .45 .8 .02 .5 .02 M.5 .45 C.1 .45 .1 .98 .5 .98 C.9 .98 .9 .45 .5 .45"
        },
        {
            "M.78 .32 C.75 -.08 .2 -.05 .2 .3 C.2 .6 .72 .6 .78 .3 L.75 .98",
            "M.78 .3 C.75 -.08 .2 -.05 .2 .3 C.2 .58 .7 .6 .78 .3 C.82 .65 .7 .95 .28 .98",
            "M.74 .1 C.5 -.1 .18 .05 .22 .32 C.28 .55 .7 .5 .74 .1 C.76 .4 .74 .7 .6 1"
        },
    };

    private static final StrokePath[][] PATHS = parseAll();

    /**
     * A style: control points as x, y pairs, and for each pair how it continues the path.
     *
     * @param verbs 'M', 'L', or for the three points of a curve 'c', 'c', 'C'
     */
    record StrokePath(double[] points, char[] verbs) {}

    private StrokePaths() {}

    static int styles(int digit) {
        return PATHS[digit].length;
    }

    /** Shared, not to be changed. */
    static StrokePath path(int digit, int style) {
        return PATHS[digit][style];
    }

    private static StrokePath[][] parseAll() {
        StrokePath[][] paths = new StrokePath[STYLES.length][];
        for (int digit = 0; digit < STYLES.length; digit++) {
            paths[digit] = new StrokePath[STYLES[digit].length];
            for (int style = 0; style < paths[digit].length; style++) {
                paths[digit][style] = parse(STYLES[digit][style]);
            }
        }
        return paths;
    }

    private static StrokePath parse(String text) {
        List<Double> points = new ArrayList<>();
        StringBuilder verbs = new StringBuilder();
        for (String part : text.split(" (?=[MLC])")) {
            char verb = part.charAt(0);
            for (String number : part.substring(1).split(" ")) {
                points.add(Double.valueOf(number));
            }
            verbs.append(verb == 'C' ? "ccC" : String.valueOf(verb));
        }
        double[] flat = points.stream().mapToDouble(Double::doubleValue).toArray();
        return new StrokePath(flat, verbs.toString().toCharArray());
    }
}
