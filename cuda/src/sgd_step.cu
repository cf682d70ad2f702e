// One step of gradient descent, in place.
#include "changing.cuh"

/// velocity may be null. changing: rate, keep = 1 - rate decay.
QUERN_KERNEL(256, sgd_step_f32, float* parameter, const float* gradient, float* velocity, long long elements,
             float momentum, int nesterov, quern::Changing changing) {
    const long long i = quern::global_index();
    if (i >= elements || changing.off()) {
        return;
    }
    const float rate = changing[0], keep = changing[1];
    float direction = gradient[i];
    if (velocity != nullptr) {
        const float v = momentum * velocity[i] + direction;
        velocity[i] = v;
        direction = nesterov != 0 ? direction + momentum * v : v;
    }
    parameter[i] = keep * parameter[i] - rate * direction;
}
