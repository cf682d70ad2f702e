package io.quern.testing;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ArgumentsSource;

/**
 * Tests that run whole on each CUDA device that is here, simulated and real. The bundle's selftest finds them by their tag.
 * What injects faults or changes the device's nature needs the simulator: those classes have the tag {@code cuda-sim}.
 */
@Tag("cuda")
@ParameterizedClass(name = "{0}")
@ArgumentsSource(CudaDevices.class)
public abstract class OnEveryCudaDevice {
    @Parameter
    protected CudaTestDevice device;

    @BeforeEach
    void startAnew() {
        device.reset();
    }

    @AfterEach
    void nothingIsLeft() {
        device.assertNothingLeft("the test");
        device.simulator().ifPresent(Simulator::reset);
    }
}
