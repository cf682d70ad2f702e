package io.quern.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.backend.Backend;
import io.quern.backend.Backends;
import io.quern.backend.EnergyMeter;
import io.quern.op.Fill;
import io.quern.tensor.DType;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import io.quern.testing.Simulator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The energy counter, on the management library of the simulator: so many millijoules per kernel. */
@Tag("cuda-sim")
class NvmlEnergyTest {
    private Simulator simulator;

    @BeforeEach
    void require() {
        simulator = Simulator.require();
    }

    @AfterEach
    void everyUserHasLeft() {
        if (simulator != null) {
            simulator.setEnergy(0);
            assertEquals(0, simulator.managementUsers());
        }
    }

    @Test
    void joulesAreTheDifferenceOfTwoReadings() {
        simulator.setEnergy(250);
        try (Backend backend = Backends.of("cuda-sim", 1);
                EnergyMeter meter = backend.energy().orElseThrow();
                Tensor x = Tensor.allocate(backend.memory(), DType.F32, Shape.of(100))) {
            double before = meter.joules();
            long kernels = simulator.kernelsRun();
            for (int i = 0; i < 12; i++) {
                backend.run(Fill.OP, new Fill.Args(x, i));
            }
            x.toFloats();
            assertEquals(12, simulator.kernelsRun() - kernels);
            assertEquals(3.0, meter.joules() - before, 1e-9, "12 kernels of 250 mJ");
        }
    }

    @Test
    void aDeviceThatDoesNotCountHasNoMeter() {
        try (Backend backend = Backends.of("cuda-sim", 1)) {
            assertTrue(backend.energy().isEmpty());
        }
    }

    @Test
    void aCounterThatFallsSilentIsNotANumber() {
        simulator.setEnergy(1);
        try (Backend backend = Backends.of("cuda-sim", 1);
                EnergyMeter meter = backend.energy().orElseThrow()) {
            assertTrue(meter.joules() >= 0);
            simulator.setEnergy(0);
            assertTrue(Double.isNaN(meter.joules()));
        }
    }

    @Test
    void theSummaryIsOneLineWithTheReason() {
        String line = EnergyMeter.summary();
        assertTrue(
                line.equals("not counted: libnvidia-ml.so.1 cannot be loaded; it comes with the NVIDIA driver")
                        || line.startsWith("not counted: nvml")
                        || line.equals("counted by NVML where the GPU does"),
                line);
    }
}
