// One step of AdamW, in place, in packs of 4 where all addresses allow it: 16 bytes, 8 of a bf16 gradient.
// adam_w_step_f32: all in f32   adam_w_step_bf16: the gradient in bf16, parameters and moments in f32
#include "changing.cuh"
#include "elementwise.cuh"

namespace quern::adam_w_step {

struct Rates {
    float beta1, rest1, beta2, rest2, epsilon, rate, keep, correction1, correction2;

    QUERN_DEVICE void move(float& parameter, float g, float& moment1, float& moment2) const {
        moment1 = beta1 * moment1 + rest1 * g;
        moment2 = beta2 * moment2 + rest2 * g * g;
        const float direction = moment1 / correction1 / (sqrtf(moment2 / correction2) + epsilon);
        parameter = keep * parameter - rate * direction;
    }
};

template <class G>
QUERN_DEVICE void run(float* parameter, const G* gradient, float* moment1, float* moment2, long long n, const Rates& rates) {
    constexpr int lanes = kLanes<float>;  // 8, those of a bf16 gradient, would spill registers
    const bool whole = aligned16(parameter) && aligned16(gradient) && aligned16(moment1) && aligned16(moment2);
    const long long packs = whole ? n / lanes : 0;
    for_each(packs, [&](long long pack) {
        const long long at = pack * lanes;
        Vec<float, lanes> p = load_floats<lanes>(parameter + at), m = load_floats<lanes>(moment1 + at),
                          v = load_floats<lanes>(moment2 + at);
        const Vec<float, lanes> g = load_floats<lanes>(gradient + at);
#pragma unroll
        for (int j = 0; j < lanes; j++) {
            rates.move(p[j], g[j], m[j], v[j]);
        }
        store_floats(parameter + at, p);
        store_floats(moment1 + at, m);
        store_floats(moment2 + at, v);
    });
    for_each(n - packs * lanes, [&](long long i) {
        i += packs * lanes;
        float p = parameter[i], m = moment1[i], v = moment2[i];
        rates.move(p, to_float(gradient[i]), m, v);
        parameter[i] = p;
        moment1[i] = m;
        moment2[i] = v;
    });
}

}  // namespace quern::adam_w_step

/// changing: rate, keep = 1 - rate decay, and the corrections 1 - beta^step of both moments.
QUERN_KERNEL_BY_DTYPE(256, adam_w_step, (float* parameter, const T* gradient, float* moment1, float* moment2, long long n, float beta1,
                      float rest1, float beta2, float rest2, float epsilon, Changing changing), {
    if (!changing.off()) {
        const adam_w_step::Rates rates{beta1, rest1, beta2, rest2, epsilon, changing[0], changing[1], changing[2], changing[3]};
        adam_w_step::run(parameter, gradient, moment1, moment2, n, rates);
    }
})
