package io.quern.backend.ffi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

/** Handles reach the driver as their values, and only those of the kind that a function takes. */
class DriverCallTest {
    private static final DriverHandle STREAM = new DriverHandle.Stream(7), EVENT = new DriverHandle.Event(9);

    @Test
    void handlesArePassedAsTheirValues() {
        assertArrayEquals(new Object[] {9L, 7L}, DriverCall.EVENT_RECORD.arguments(EVENT, STREAM));
        assertArrayEquals(new Object[] {5L, 0, 64L, 7L}, DriverCall.SET_BYTES.arguments(5L, 0, 64L, STREAM));
    }

    @Test
    void noHandlePassesForAnother() {
        IllegalArgumentException swapped =
                assertThrows(IllegalArgumentException.class, () -> DriverCall.EVENT_RECORD.arguments(STREAM, EVENT));
        assertEquals("cuEventRecord is called with Stream[value=7] as argument 0", swapped.getMessage());
        assertThrows(IllegalArgumentException.class, () -> DriverCall.STREAM_SYNCHRONIZE.arguments(7L));
        assertThrows(IllegalArgumentException.class, () -> DriverCall.HOST_FREE.arguments(STREAM));
    }
}
