package io.quern.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.tensor.ArgumentException;
import org.junit.jupiter.api.Test;

class BackendsTest {
    @Test
    void aForcedBackendIsTheOneAskedFor() {
        for (Backends.Availability availability : Backends.probe()) {
            if (availability.available()) {
                try (Backend backend = Backends.of(availability.name(), 2)) {
                    assertEquals(availability.name(), backend.name());
                }
            }
        }
    }

    @Test
    void theBestIsTheFirstAvailable() {
        String expected = Backends.probe().stream()
                .filter(Backends.Availability::available)
                .findFirst()
                .orElseThrow()
                .name();
        try (Backend backend = Backends.best(1)) {
            assertEquals(expected, backend.name());
        }
    }

    @Test
    void anUnknownNameListsTheKnownOnes() {
        ArgumentException e = assertThrows(ArgumentException.class, () -> Backends.of("gpu", 1));
        assertTrue(e.getMessage().contains("vector, scalar, reference"), e.getMessage());
    }
}
