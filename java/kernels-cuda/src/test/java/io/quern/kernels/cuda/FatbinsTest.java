package io.quern.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.quern.backend.CudaImages;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

/** The jar's images are found the way the backend finds them, and the driver would take them for fatbins. */
class FatbinsTest {
    private static final int MAGIC = 0xba55ed50;

    private final CudaImages images =
            ServiceLoader.load(CudaImages.class).findFirst().orElseThrow();

    @Test
    void holdsTheBaseModuleWhole() {
        byte[] bytes = images.module("base").orElse(null);
        assumeTrue(bytes != null, "the jar was built without nvcc");
        ByteBuffer header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        assertEquals(MAGIC, header.getInt(0));
        // magic 4, version 2, header length 2, length of what follows the header 8
        assertEquals(bytes.length, header.getShort(6) + header.getLong(8));
    }

    @Test
    void hasNoModuleOfAnotherName() {
        assertTrue(images.module("none").isEmpty());
    }
}
