package io.quern.backend;

import io.quern.backend.cuda.NvmlEnergy;

/** The energy that a device has used since some time in the past; the difference of two readings is what counts. */
public interface EnergyMeter extends AutoCloseable {
    /** Joules; NaN once the device stops telling. Devices bring their counters up to date some ten times a second. */
    double joules();

    @Override
    void close();

    /** One line for people: whether the energy of NVIDIA GPUs can be read here, and why not. */
    static String summary() {
        return NvmlEnergy.summary();
    }
}
