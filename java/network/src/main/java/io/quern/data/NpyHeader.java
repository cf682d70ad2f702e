package io.quern.data;

import io.quern.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * The header of an NPY file, a Python dictionary literal with the keys descr, fortran_order and shape. A strict parser:
 * what NumPy does not write is an error.
 */
record NpyHeader(NpyType type, Shape shape) {
    private static final int MAX_RANK = 8;

    static NpyHeader parse(String file, long start, String text) {
        return new Parser(file, start, text).header();
    }

    private static final class Parser {
        private final String file;
        private final long start;
        private final String text;
        private int at;

        Parser(String file, long start, String text) {
            this.file = file;
            this.start = start;
            this.text = text;
        }

        NpyHeader header() {
            NpyType type = null;
            Boolean fortran = null;
            Shape shape = null;
            expect('{');
            while (!accept('}')) {
                int keyAt = at;
                String key = string();
                expect(':');
                if (key.equals("descr") && type == null) {
                    type = type();
                } else if (key.equals("fortran_order") && fortran == null) {
                    fortran = flag();
                } else if (key.equals("shape") && shape == null) {
                    shape = shape();
                } else {
                    at = keyAt;
                    throw error("unknown or repeated key '" + key + "'", "write the array with numpy.save");
                }
                if (!accept(',')) {
                    expect('}');
                    break;
                }
            }
            blanks();
            if (at != text.length() || type == null || fortran == null || shape == null) {
                throw error("incomplete header, expected descr, fortran_order and shape", "write it with numpy.save");
            }
            if (fortran && shape.rank() > 1) {
                throw error("the array is in Fortran order", "save numpy.ascontiguousarray(a)");
            }
            return new NpyHeader(type, shape);
        }

        private NpyType type() {
            blanks();
            if (at < text.length() && text.charAt(at) == '[') {
                throw error("structured arrays are not supported", "save each field as an array of its own");
            }
            int typeAt = at;
            String descriptor = string();
            for (NpyType type : NpyType.values()) {
                if (descriptor.equals(type.descriptor())) {
                    return type;
                }
            }
            at = typeAt;
            if (descriptor.contains("O")) {
                throw error(
                        "object arrays are pickled Python programs and are never loaded",
                        "save an array of numbers, for example a.astype('float32')");
            }
            throw error(
                    "element type '" + descriptor + "' is not one of <f2 <f4 <f8 |u1 |i1 <i4 <i8 |b1",
                    "convert it, for example a.astype('<f4')");
        }

        private boolean flag() {
            blanks();
            for (String word : List.of("True", "False")) {
                if (text.startsWith(word, at)) {
                    at += word.length();
                    return word.equals("True");
                }
            }
            throw error("expected True or False", "write it with numpy.save");
        }

        private Shape shape() {
            List<Long> extents = new ArrayList<>();
            long product = 1;
            expect('(');
            while (!accept(')')) {
                long extent = number();
                try {
                    product = Math.multiplyExact(product, extent);
                } catch (ArithmeticException e) {
                    throw error("the shape has more than 2^63 elements", "check that the file is not corrupt");
                }
                extents.add(extent);
                if (extents.size() > MAX_RANK) {
                    throw error("rank above " + MAX_RANK, "reshape the array before saving it");
                }
                if (!accept(',')) {
                    expect(')');
                    break;
                }
            }
            return Shape.of(extents.stream().mapToLong(Long::longValue).toArray());
        }

        private long number() {
            blanks();
            int first = at;
            while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
                at++;
            }
            if (at == first || at - first > 18) {
                throw error("expected an extent of 1 to 18 digits", "check that the file is not corrupt");
            }
            return Long.parseLong(text, first, at, 10);
        }

        private String string() {
            blanks();
            if (at < text.length() && (text.charAt(at) == '\'' || text.charAt(at) == '"')) {
                int end = text.indexOf(text.charAt(at), at + 1);
                if (end > 0) {
                    String value = text.substring(at + 1, end);
                    at = end + 1;
                    return value;
                }
            }
            throw error("expected a quoted word", "write it with numpy.save");
        }

        private void expect(char c) {
            if (!accept(c)) {
                throw error("expected '" + c + "'", "write it with numpy.save");
            }
        }

        private boolean accept(char c) {
            blanks();
            if (at < text.length() && text.charAt(at) == c) {
                at++;
                return true;
            }
            return false;
        }

        private void blanks() {
            while (at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\n')) {
                at++;
            }
        }

        private FormatException error(String problem, String remedy) {
            return new FormatException(file, "byte " + (start + at), problem, remedy);
        }
    }
}
