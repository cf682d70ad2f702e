package io.quern.op;

import io.quern.tensor.QuernException;
import io.quern.tensor.Tensor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;

/** Rebuilds an Args record with other tensors; a tensor that occurs twice (an in-place update) is mapped once. */
public final class ArgsMap {
    private ArgsMap() {}

    public static <A extends OpArgs> A map(A args, UnaryOperator<Tensor> tensors) {
        return map(args, tensors, DoubleUnaryOperator.identity());
    }

    /** Maps every tensor, every list of tensors and every double attribute. */
    @SuppressWarnings("unchecked")
    public static <A extends OpArgs> A map(A args, UnaryOperator<Tensor> tensors, DoubleUnaryOperator doubles) {
        Map<Tensor, Tensor> mapped = new IdentityHashMap<>();
        UnaryOperator<Tensor> once = tensor -> tensor == null ? null : mapped.computeIfAbsent(tensor, tensors);
        try {
            RecordComponent[] components = args.getClass().getRecordComponents();
            Object[] values = new Object[components.length];
            for (int i = 0; i < components.length; i++) {
                values[i] = switch (components[i].getAccessor().invoke(args)) {
                    case Tensor tensor -> once.apply(tensor);
                    case List<?> list
                    when !list.isEmpty() && list.getFirst() instanceof Tensor ->
                        list.stream()
                                .map(element -> once.apply((Tensor) element))
                                .toList();
                    case Double value -> doubles.applyAsDouble(value);
                    case null -> null;
                    case Object other -> other;
                };
            }
            Class<?>[] types =
                    Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
            return (A) args.getClass().getDeclaredConstructor(types).newInstance(values);
        } catch (InvocationTargetException e) {
            throw e.getCause() instanceof RuntimeException cause
                    ? cause
                    : new QuernException("cannot rebuild " + args, e);
        } catch (ReflectiveOperationException e) {
            throw new QuernException("cannot rebuild " + args.getClass() + ": Args must be a public record", e);
        }
    }
}
