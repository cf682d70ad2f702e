package io.quern.backend.vector;

import static io.quern.backend.vector.CodeArgument.argument;
import static io.quern.backend.vector.WinogradTransforms.A;
import static io.quern.backend.vector.WinogradTransforms.AA;
import static io.quern.backend.vector.WinogradTransforms.B;
import static io.quern.backend.vector.WinogradTransforms.BB;
import static io.quern.backend.vector.WinogradTransforms.EDGE;
import static io.quern.backend.vector.WinogradTransforms.FAR;
import static io.quern.backend.vector.WinogradTransforms.NEAR;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;

/**
 * Writes the transforms of a line of values, as {@link WinogradTransforms} and {@link WinogradFive} have them, operation by operation. The
 * values of a transform come in groups that share their sums; a group is written at a time, so that the values between columns and rows
 * stay in registers. Vector registers are taken from a pool.
 */
final class WinogradSteps {
    /** What is transformed: {@link WinogradTransforms} says how. */
    enum Kind {
        SOURCE,
        FILTER,
        RESULT,
        SIGNAL,
        GRADIENT
    }

    /** Factors of the transforms. */
    private enum Factor {
        POINT_A(A),
        POINT_B(B),
        SQUARE_A(AA),
        SQUARE_B(BB),
        CUBE_A(AA * A),
        CUBE_B(BB * B),
        PRODUCT(AA * BB),
        SUM(AA + BB),
        OF_EDGE(EDGE),
        OF_NEAR(NEAR),
        OF_FAR(FAR);

        private final float value;

        Factor(float value) {
            this.value = value;
        }

        private Address place() {
            return argument(Float.BYTES * ordinal());
        }
    }

    /** The values that are transformed. */
    interface Line {
        /** The register of a value, which is not to be changed. */
        int see(int i);

        /** A register of its own with the value. */
        int own(int i);
    }

    /** Bytes that the code writes its factors to, at the start of the argument. */
    static final int FACTORS = 64;

    private static final int REGISTERS = 32, NONE = -1;
    private static final int[][] SIX = {{0}, {1, 2}, {3, 4}, {5}};

    private final VectorAssembler code;
    private final Kind kind;
    private final boolean five;
    private final boolean[] taken = new boolean[REGISTERS];
    private final Map<Factor, Integer> held = new EnumMap<>(Factor.class);

    WinogradSteps(VectorAssembler code, Kind kind, int taps) {
        this.code = code;
        this.kind = kind;
        five = taps == 5;
    }

    /** The numbers of the values that a transform makes, group by group. */
    int[][] groups() {
        return switch (kind) {
            case SOURCE, FILTER, SIGNAL -> SIX;
            case RESULT -> five ? new int[][] {{0}, {1}} : new int[][] {{0, 2}, {1, 3}};
            case GRADIENT -> five ? new int[][] {{0, 2, 4}, {1, 3}} : new int[][] {{0, 2}, {1}};
        };
    }

    int take() {
        for (int i = 0; i < REGISTERS; i++) {
            if (!taken[i]) {
                taken[i] = true;
                return i;
            }
        }
        throw new IllegalStateException("no vector register left for " + kind + (five ? " of 5 taps" : " of 3 taps"));
    }

    void give(int... registers) {
        for (int register : registers) {
            taken[register] = false;
        }
    }

    /** At the start: the factors in memory, and in registers if they are to be held there. */
    void writeFactors(boolean hold) {
        for (Factor factor : factors()) {
            code.storeInt(Float.floatToRawIntBits(factor.value), factor.place());
            if (hold) {
                int register = take();
                code.broadcast(register, factor.place());
                held.put(factor, register);
            }
        }
    }

    private Factor[] factors() {
        Factor[] points = {Factor.POINT_A, Factor.POINT_B};
        Factor[] squares = {Factor.POINT_A, Factor.POINT_B, Factor.SQUARE_A, Factor.SQUARE_B};
        return switch (kind) {
            case SOURCE -> with(squares, Factor.PRODUCT, Factor.SUM);
            case FILTER, GRADIENT -> with(squares, Factor.OF_EDGE, Factor.OF_NEAR, Factor.OF_FAR);
            case RESULT -> five ? points : with(squares, Factor.CUBE_A, Factor.CUBE_B);
            case SIGNAL -> five ? points : squares;
        };
    }

    private static Factor[] with(Factor[] some, Factor... more) {
        Factor[] all = Arrays.copyOf(some, some.length + more.length);
        System.arraycopy(more, 0, all, some.length, more.length);
        return all;
    }

    /**
     * Writes a group of values.
     *
     * @param shift the register of what is added to all of them, for results; or negative
     * @return registers that were taken for them, in the order of {@link #groups}
     */
    int[] group(int group, Line x, int shift) {
        return switch (kind) {
            case SOURCE -> source(group, x);
            case FILTER -> filter(group, x);
            case RESULT -> result(group, x, shift);
            case SIGNAL -> signal(group, x);
            case GRADIENT -> gradient(group, x);
        };
    }

    private int[] source(int group, Line x) {
        if (group == 0 || group == 3) {
            int first = group == 0 ? 0 : 1, value = x.own(first + 4);
            subtractProduct(value, x.see(first + 2), Factor.SUM);
            addProduct(value, x.see(first), Factor.PRODUCT);
            return new int[] {value};
        }
        Factor other = group == 1 ? Factor.SQUARE_B : Factor.SQUARE_A;
        Factor point = group == 1 ? Factor.POINT_A : Factor.POINT_B;
        int even = x.own(4), odd = x.own(3);
        subtractProduct(even, x.see(2), other);
        subtractProduct(odd, x.see(1), other);
        int sum = copy(even);
        addProduct(sum, odd, point);
        subtractProduct(even, odd, point);
        give(odd);
        return new int[] {sum, even};
    }

    private int[] filter(int group, Line x) {
        int last = five ? 4 : 2;
        if (group == 0) {
            return new int[] {product(x.see(0), Factor.OF_EDGE)};
        } else if (group == 3) {
            return new int[] {x.own(last)};
        }
        Factor point = group == 1 ? Factor.POINT_A : Factor.POINT_B;
        Factor square = group == 1 ? Factor.SQUARE_A : Factor.SQUARE_B;
        int even = x.own(0), odd;
        if (five) {
            int high = x.own(2);
            addProduct(high, x.see(4), square);
            addProduct(even, high, square);
            give(high);
            odd = x.own(1);
            addProduct(odd, x.see(3), square);
            multiply(odd, point);
        } else {
            addProduct(even, x.see(2), square);
            odd = product(x.see(1), point);
        }
        int[] both = sumAndDifference(even, odd);
        for (int value : both) {
            multiply(value, group == 1 ? Factor.OF_NEAR : Factor.OF_FAR);
        }
        return both;
    }

    private int[] result(int group, Line x, int shift) {
        int near = take(), far = take();
        if (group == 0) {
            code.addVectors(near, x.see(1), x.see(2));
            code.addVectors(far, x.see(3), x.see(4));
            int first = plus(x.own(0), shift);
            code.addVectors(first, first, near);
            code.addVectors(first, first, far);
            if (five) {
                give(near, far);
                return new int[] {first};
            }
            int third = factored(far, Factor.SQUARE_B, shift);
            addProduct(third, near, Factor.SQUARE_A);
            give(near, far);
            return new int[] {first, third};
        }
        code.subtractVectors(near, x.see(1), x.see(2));
        code.subtractVectors(far, x.see(3), x.see(4));
        int last = plus(x.own(5), shift);
        addProduct(last, far, five ? Factor.POINT_B : Factor.CUBE_B);
        addProduct(last, near, five ? Factor.POINT_A : Factor.CUBE_A);
        if (five) {
            give(near, far);
            return new int[] {last};
        }
        int second = factored(far, Factor.POINT_B, shift);
        addProduct(second, near, Factor.POINT_A);
        give(near, far);
        return new int[] {second, last};
    }

    private int[] signal(int group, Line y) {
        if (group == 0 || group == 3) {
            return new int[] {y.own(group == 0 ? 0 : five ? 1 : 3)};
        }
        Factor point = group == 1 ? Factor.POINT_A : Factor.POINT_B;
        Factor square = group == 1 ? Factor.SQUARE_A : Factor.SQUARE_B;
        if (five) {
            return sumAndDifference(y.own(0), product(y.see(1), point));
        }
        int even = y.own(0), odd = y.own(1);
        addProduct(even, y.see(2), square);
        addProduct(odd, y.see(3), square);
        multiply(odd, point);
        return sumAndDifference(even, odd);
    }

    private int[] gradient(int group, Line m) {
        int s = take(), t = take();
        if (group == 0) {
            code.addVectors(s, m.see(1), m.see(2));
            code.addVectors(t, m.see(3), m.see(4));
        } else {
            code.subtractVectors(s, m.see(1), m.see(2));
            code.subtractVectors(t, m.see(3), m.see(4));
        }
        multiply(s, Factor.OF_NEAR);
        multiply(t, Factor.OF_FAR);
        if (group == 0) {
            int first = take();
            code.addVectors(first, s, t);
            addProduct(first, m.see(0), Factor.OF_EDGE);
            int third = NONE;
            if (five) {
                multiply(s, Factor.SQUARE_A);
                multiply(t, Factor.SQUARE_B);
                third = take();
                code.addVectors(third, s, t);
            }
            int last = m.own(5);
            addProduct(last, t, Factor.SQUARE_B);
            addProduct(last, s, Factor.SQUARE_A);
            give(s, t);
            return five ? new int[] {first, third, last} : new int[] {first, last};
        }
        if (!five) {
            multiply(t, Factor.POINT_B);
            addProduct(t, s, Factor.POINT_A);
            give(s);
            return new int[] {t};
        }
        multiply(s, Factor.POINT_A);
        multiply(t, Factor.POINT_B);
        int second = take();
        code.addVectors(second, s, t);
        multiply(t, Factor.SQUARE_B);
        addProduct(t, s, Factor.SQUARE_A);
        give(s);
        return new int[] {second, t};
    }

    private int[] sumAndDifference(int even, int odd) {
        int sum = take();
        code.addVectors(sum, even, odd);
        code.subtractVectors(even, even, odd);
        give(odd);
        return new int[] {sum, even};
    }

    private int copy(int from) {
        int to = take();
        code.moveVector(to, from);
        return to;
    }

    private int plus(int value, int shift) {
        if (shift >= 0) {
            code.addVectors(value, value, shift);
        }
        return value;
    }

    /** x times the factor, plus the shift if there is one. */
    private int factored(int x, Factor factor, int shift) {
        if (shift < 0) {
            return product(x, factor);
        }
        int value = copy(shift);
        addProduct(value, x, factor);
        return value;
    }

    private int product(int x, Factor factor) {
        int to = take();
        multiply(to, x, factor);
        return to;
    }

    private void multiply(int x, Factor factor) {
        multiply(x, x, factor);
    }

    private void multiply(int to, int x, Factor factor) {
        if (held.containsKey(factor)) {
            code.multiply(to, x, held.get(factor));
        } else {
            code.multiplyElement(to, x, factor.place());
        }
    }

    private void addProduct(int to, int x, Factor factor) {
        if (held.containsKey(factor)) {
            code.multiplyAdd(to, x, held.get(factor));
        } else {
            code.multiplyAddElement(to, x, factor.place());
        }
    }

    private void subtractProduct(int to, int x, Factor factor) {
        if (held.containsKey(factor)) {
            code.multiplySubtract(to, x, held.get(factor));
        } else {
            code.multiplySubtractElement(to, x, factor.place());
        }
    }
}
