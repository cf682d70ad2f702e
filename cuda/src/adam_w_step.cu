// One step of AdamW, in place.
#include "changing.cuh"

/// changing: rate, keep = 1 - rate decay, and the corrections 1 - beta^step of both moments.
QUERN_KERNEL(256, adam_w_step_f32, float* parameter, const float* gradient, float* moment1, float* moment2,
             long long elements, float beta1, float rest1, float beta2, float rest2, float epsilon,
             quern::Changing changing) {
    const long long i = quern::global_index();
    if (i >= elements || changing.off()) {
        return;
    }
    const float rate = changing[0], keep = changing[1], correction1 = changing[2], correction2 = changing[3];
    const float g = gradient[i];
    const float m = beta1 * moment1[i] + rest1 * g;
    const float v = beta2 * moment2[i] + rest2 * g * g;
    moment1[i] = m;
    moment2[i] = v;
    const float direction = m / correction1 / (sqrtf(v / correction2) + epsilon);
    parameter[i] = keep * parameter[i] - rate * direction;
}
