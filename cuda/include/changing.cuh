// Numbers of an update that change from step to step, so that a captured step can go on with others.
#pragma once

#include "device.cuh"

namespace quern {

/// By value, or, in a captured graph, in device memory that is written before each launch.
struct Changing {
    const float* at;
    const float* guard;
    float values[4];

    QUERN_DEVICE float operator[](int i) const { return at != nullptr ? at[i] : values[i]; }

    /// True when the update must not happen: the guard, the step's loss, is infinite or NaN.
    QUERN_DEVICE bool off() const { return guard != nullptr && !(fabsf(*guard) < __uint_as_float(0x7f800000u)); }
};

}  // namespace quern
