// One step of gradient descent, in place, in packs of 4 where all addresses allow it: 16 bytes, 8 of a bf16 gradient.
// sgd_step_f32: all in f32   sgd_step_bf16: the gradient in bf16, parameters and velocity in f32
#include "changing.cuh"
#include "elementwise.cuh"

namespace quern::sgd_step {

struct Rates {
    float momentum, rate, keep;
    bool nesterov;

    QUERN_DEVICE void move(float& parameter, float g, float& velocity) const {
        velocity = momentum * velocity + g;
        parameter = keep * parameter - rate * (nesterov ? g + momentum * velocity : velocity);
    }
    QUERN_DEVICE void move(float& parameter, float g) const { parameter = keep * parameter - rate * g; }
};

template <class G>
QUERN_DEVICE void run(float* parameter, const G* gradient, float* velocity, long long n, const Rates& rates) {
    constexpr int lanes = kLanes<float>;
    const bool whole = aligned16(parameter) && aligned16(gradient) && aligned16(velocity);
    const long long packs = whole ? n / lanes : 0;
    for_each(packs, [&](long long pack) {
        const long long at = pack * lanes;
        Vec<float, lanes> p = load_floats<lanes>(parameter + at);
        const Vec<float, lanes> g = load_floats<lanes>(gradient + at);
        if (velocity != nullptr) {
            Vec<float, lanes> v = load_floats<lanes>(velocity + at);
#pragma unroll
            for (int j = 0; j < lanes; j++) {
                rates.move(p[j], g[j], v[j]);
            }
            store_floats(velocity + at, v);
        } else {
#pragma unroll
            for (int j = 0; j < lanes; j++) {
                rates.move(p[j], g[j]);
            }
        }
        store_floats(parameter + at, p);
    });
    for_each(n - packs * lanes, [&](long long i) {
        i += packs * lanes;
        float p = parameter[i];
        const float g = to_float(gradient[i]);
        if (velocity != nullptr) {
            float v = velocity[i];
            rates.move(p, g, v);
            velocity[i] = v;
        } else {
            rates.move(p, g);
        }
        parameter[i] = p;
    });
}

}  // namespace quern::sgd_step

/// velocity may be null. changing: rate, keep = 1 - rate decay.
QUERN_KERNEL_BY_DTYPE(256, sgd_step, (float* parameter, const T* gradient, float* velocity, long long n, float momentum,
                      int nesterov, Changing changing), {
    if (!changing.off()) {
        sgd_step::run(parameter, gradient, velocity, n, sgd_step::Rates{momentum, changing[0], changing[1], nesterov != 0});
    }
})
