package io.quern.op;

/**
 * A call that must be refused.
 *
 * @param label what is wrong with it
 * @param call builds the bad Args from the given source of tensors
 * @param message a part of the exception's text
 */
public record Rejection(
        String label, java.util.function.Function<CaseTensors, ? extends OpArgs> call, String message) {}
