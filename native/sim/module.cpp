// One translation unit per module includes this under g++: the module's entry for the simulated driver.
#include "device.cuh"

#if QUERN_SIM
static quern::sim::ThreadView** quern_sim_bind(const quern::sim::Runtime* runtime) {
    quern::sim::runtime = runtime;
    return &quern::sim::current;
}

extern "C" __attribute__((visibility("default"))) const quern::sim::Module* quern_sim_module() {
    static quern::sim::Module module{
        quern::sim::kAbi, QUERN_SIM_TARGET, QUERN_SIM_EXACT, quern::sim::kernels, quern_sim_bind};
    return &module;
}
#endif
