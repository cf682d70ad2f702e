package io.quern.testing;

import io.quern.tensor.Memory;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.opentest4j.AssertionFailedError;

/** Fails every test that leaves tensor memory open; registered for all tests by its service file. */
public final class LeakExtension implements BeforeEachCallback, AfterEachCallback {
    private static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace.create(LeakExtension.class);

    @Override
    public void beforeEach(ExtensionContext context) {
        context.getStore(NAMESPACE).put("blocks", Memory.host().liveBlocks());
    }

    @Override
    public void afterEach(ExtensionContext context) {
        long before = context.getStore(NAMESPACE).get("blocks", Long.class);
        long left = Memory.host().liveBlocks() - before;
        if (left > 0 && context.getExecutionException().isEmpty()) {
            throw new AssertionFailedError(
                    left + " tensors or workspaces were not closed by " + context.getDisplayName());
        }
    }
}
