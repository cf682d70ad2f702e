package io.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backends;
import io.quern.backend.HostBackend;
import io.quern.op.Case;
import io.quern.op.Cost;
import io.quern.op.Op;
import io.quern.op.OpArgs;
import io.quern.op.Ops;
import io.quern.tensor.DType;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every op of the catalogue has all its parts under its one stem. */
class CatalogueTest {
    @Test
    void namesAreUnique() {
        Set<String> names = new HashSet<>();
        Ops.ALL.forEach(op -> assertTrue(names.add(op.name()), op.name() + " occurs twice"));
    }

    @TestFactory
    Stream<DynamicTest> hasAllParts() {
        return Ops.ALL.stream().map(op -> DynamicTest.dynamicTest(op.name(), () -> parts(op)));
    }

    private static <A extends OpArgs> void parts(Op<A> op) {
        assertAll(
                () -> assertFalse(op.cases().isEmpty(), op.name() + " has no cases"),
                () -> assertFalse(op.rejections().isEmpty(), op.name() + " has no rejections"),
                () -> assertEquals(
                        op.cases().size(),
                        op.cases().stream().map(Case::label).distinct().count(),
                        op.name() + " has two cases with one label"),
                () -> assertDoesNotThrow(
                        () -> Class.forName("io.quern.op." + op.name() + "Test"), op.name() + " has no test class"),
                () -> assertDoesNotThrow(
                        () -> Class.forName(
                                "io.quern.backend.vector." + op.name() + "Vector",
                                false,
                                CatalogueTest.class.getClassLoader()),
                        op.name() + " has no vector kernel"),
                () -> assertTrue(runsOnItsKernel(op), op.name() + " never runs on its vector kernel"),
                () -> costs(op));
    }

    /** Some F32 case reaches the kernel, so that it is registered and not merely there. */
    private static <A extends OpArgs> boolean runsOnItsKernel(Op<A> op) {
        if (Backends.probe().stream().noneMatch(b -> b.name().equals("vector") && b.available())) {
            return true;
        }
        try (HostBackend backend = (HostBackend) Backends.of("vector", 1)) {
            for (Case<A> c : op.cases()) {
                try (GuardedTensors tensors = new GuardedTensors(
                        DType.F32, GuardedTensors.Layout.ALIGNED, GuardedTensors.Values.UNIFORM, 1)) {
                    if (backend.kernels().covers(op, c.build().apply(tensors))) {
                        return true;
                    }
                }
            }
            return false;
        }
    }

    private static <A extends OpArgs> void costs(Op<A> op) {
        for (Case<A> c : op.cases()) {
            cost(op, c);
        }
    }

    private static <A extends OpArgs> void cost(Op<A> op, Case<A> c) {
        try (GuardedTensors tensors =
                new GuardedTensors(DType.F32, GuardedTensors.Layout.ALIGNED, GuardedTensors.Values.UNIFORM, 1)) {
            A args = c.build().apply(tensors);
            Cost cost = op.cost(args);
            boolean empty = args.outputs().stream().allMatch(tensor -> tensor.elements() == 0);
            assertTrue(empty || cost.bytes() > 0, op.name() + " moves no bytes in case " + c.label());
            assertTrue(cost.flops() >= 0, op.name() + " has negative work in case " + c.label());
        }
    }
}
