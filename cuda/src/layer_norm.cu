// Normalisation of each row, one warp per row, and its gradient: in one reading, a block per chunk of rows, or, for rows too
// short, too long or no multiple of 4, by a kernel for the rows and one for the columns. x, y, dx and dy are f32 or bf16, all
// else is f32.
#include "held_row.cuh"
#include "ptx/cache.cuh"
#include "ptx/launch.cuh"
#include "sums.cuh"

namespace quern::layer_norm {

/// v minus a mean that one float cannot hold: to two roundings of the difference, since whatever is not exact in the first one
/// is small beside it.
struct Mean {
    float high, low;

    QUERN_DEVICE explicit Mean(double m) : high(static_cast<float>(m)), low(static_cast<float>(m - high)) {}

    QUERN_DEVICE float to(float v) const { return v - high - low; }
};

/// The sum of a row's elements. Of eight bf16 a float holds the sum exactly, unless they differ so much that the deviation is
/// many times what is lost, or they are too large for it, which forward_held sees.
template <class T, int Lanes>
QUERN_DEVICE double sum_of(HeldRow<Lanes>& row) {
    if constexpr (kIsBf16<T>) {
        return row.sum_of_eights([](float sum, float v) { return sum + v; });
    } else {
        double sum = 0;
        row.each([&](float v) { sum += v; });
        return sum;
    }
}

/// A row in registers, f32 wherever nothing cancels: conversions to double are as slow as memory. False, and nothing is
/// written, where the squares show that a float was too large or too small on the way.
template <int Lanes, class T>
QUERN_DEVICE bool forward_held(const T* x, const float* gamma, const float* beta, T* y, int n, double epsilon, double& m,
                               double& s) {
    HeldRow<Lanes> row;
    row.load(x, n, 0);
    m = warp_sum(sum_of<T>(row)) / n;
    const Mean middle(m);
    row.each_in(n, [=](float& v) { v = middle.to(v); });
    const double squares = warp_sum(row.sum_of_eights([](float sum, float v) { return fmaf(v, v, sum); }));
    if (!(squares > 1e-30 && squares < 1e37)) {
        return false;
    }
    s = rsqrt(squares / n + epsilon);
    const float scale = static_cast<float>(s);
    row.map(y, n, [=](int, float v, float g, float b) { return fmaf(v * scale, g, b); }, gamma, beta);
    return true;
}

template <int Lanes, class T>
QUERN_DEVICE void forward(const T* x, const float* gamma, const float* beta, T* y, float* mean, float* inverse, int n,
                          double epsilon) {
    const int lane = lane_id();
    double m, s;
    if (!held_row(n) || !forward_held<Lanes>(x, gamma, beta, y, n, epsilon, m, s)) {
        double sum = 0, squares = 0;
        for_packs<Lanes>(n, lane, 32, [&](int, float v) { sum += v; }, x);
        m = warp_sum(sum) / n;
        for_packs<Lanes>(n, lane, 32, [&](int, float v) {
            const double difference = v - m;
            squares += difference * difference;
        }, x);
        s = rsqrt(warp_sum(squares) / n + epsilon);
        auto normalized = [=](int, float v, float g, float b) { return static_cast<float>((v - m) * s) * g + b; };
        map_packs<Lanes>(y, n, lane, 32, normalized, x, gamma, beta);
    }
    if (lane == 0) {
        *mean = static_cast<float>(m);
        *inverse = static_cast<float>(s);
    }
}

template <int Lanes, class T>
QUERN_DEVICE void backward(const T* x, const T* dy, const float* gamma, double m, double s, T* dx, int n) {
    const int lane = lane_id();
    double sum = 0;
    double dot = 0;
    for_packs<Lanes>(n, lane, 32, [&](int, float v, float d, float w) {
        const double g = static_cast<double>(d) * w;
        sum += g;
        dot += g * (v - m);
    }, x, dy, gamma);
    sum = warp_sum(sum) / n;
    dot = warp_sum(dot) * s / n;
    map_packs<Lanes>(dx, n, lane, 32, [=](int, float v, float d, float w) {
        return static_cast<float>(s * (static_cast<double>(d) * w - sum - (v - m) * s * dot));
    }, x, dy, gamma);
}

template <int Lanes, class T>
QUERN_DEVICE void backward_sums(const T* x, const T* dy, const float* mean, const float* inverse, double* partial,
                                long long rows, int n) {
    struct Read {
        Raw<T, Lanes> x, dy;
        float mean, inverse;
    };
    const auto read = [=](long long row, int c, auto whole) {
        Read values;
        values.x.load(x + row * n + c, whole.value);
        values.dy.load(dy + row * n + c, whole.value);
        values.mean = mean[row];
        values.inverse = inverse[row];
        return values;
    };
    column_sums<Lanes>(rows, n, partial, aligned16(x) && aligned16(dy), read, [](const Read& values, int i) {
        const double gradient = values.dy[i];
        return Pair{gradient * (values.x[i] - static_cast<double>(values.mean)) * values.inverse, gradient};
    });
}

/// Threads of the largest block of backward_rows.
constexpr int kRowsThreads = 512;

/// Rows that are on their way to the L2 or from it to a block. In bf16, with one alone a block waits for the slowest of its loads in
/// every step; rows of f32 have twice the bytes, and more of them only took time.
template <class T>
constexpr int kRowsAhead = kIsBf16<T> ? 3 : 1;

QUERN_DEVICE u32 bits_of(float x) { return __float_as_uint(x); }
QUERN_DEVICE u64 bits_of(double x) { return static_cast<u64>(__double_as_longlong(x)); }
QUERN_DEVICE float of_bits(u32 bits) { return __uint_as_float(bits); }
QUERN_DEVICE double of_bits(u64 bits) { return __longlong_as_double(static_cast<long long>(bits)); }

/// Of each pair of lanes at the distance, the lower one gets the sum of both a, the upper one that of both b. By masks: of a
/// conditional expression the compiler makes a branch with a shuffle on either side, which then wait for all loads.
template <class Real>
QUERN_DEVICE Real exchange_sum(Real a, Real b, int distance) {
    using Bits = decltype(bits_of(a));
    const Bits a_bits = bits_of(a), b_bits = bits_of(b);
    const Bits swap = (a_bits ^ b_bits) & (0 - static_cast<Bits>((lane_id() & distance) != 0));
    return of_bits(a_bits ^ swap) + shuffle_xor(of_bits(b_bits ^ swap), distance);
}

/// Sums of a and of b over a block's threads; every thread gets both. Halves of a warp have one of them each.
template <class Real>
QUERN_DEVICE void block_totals(Real& a, Real& b, Real (&shared)[2][kRowsThreads / 32]) {
    const int lane = lane_id(), warp = static_cast<int>(threadIdx.x) / 32, warps = static_cast<int>(blockDim.x) / 32;
    Real sum = exchange_sum(a, b, 16);
#pragma unroll
    for (int distance = 8; distance > 0; distance /= 2) {
        sum += shuffle_xor(sum, distance);
    }
    if (lane % 16 == 0) {
        shared[lane / 16][warp] = sum;
    }
    block_barrier();
    sum = lane % 16 < warps ? shared[lane / 16][lane % 16] : 0;
#pragma unroll
    for (int distance = 8; distance > 0; distance /= 2) {
        sum += shuffle_xor(sum, distance);
    }
    a = shuffle_from(sum, 0);
    b = shuffle_from(sum, 16);
}

/// What a thread has of a row, as it was read.
template <class T, int Own>
struct Part {
    Raw<T, Own> x, dy;
};

/// A number per row, of the rows of a block one after the other, 32 of them at a time in the lanes of each warp, and the next 32 under
/// way: a load that all lanes of a warp share is waited for where it stands, before those of x and dy behind it.
class RowNumbers {
public:
    QUERN_DEVICE RowNumbers(const float* numbers, long long first, long long end) : numbers_(numbers), end_(end), row_(first) {
        ahead_ = load();
    }

    /// That of row i behind the first; all threads, i in order from 0.
    QUERN_DEVICE float of(int i) {
        if (i % 32 == 0) {
            now_ = ahead_;
            row_ += 32;
            ahead_ = load();
        }
        return shuffle_from(now_, i % 32);
    }

private:
    QUERN_DEVICE float load() const { return row_ + lane_id() < end_ ? numbers_[row_ + lane_id()] : 0; }

    const float* numbers_;
    long long end_, row_;
    float now_ = 0, ahead_;
};

/// The whole gradient in one reading: a block has a chunk of rows, one at a time, and its threads keep their Own columns. Elements
/// are multiplied in f32: conversions to double and its arithmetic would take longer than memory does.
/// partial: (chunks, 2, n).
template <int Own, class T>
QUERN_DEVICE void backward_rows(const T* x, const T* dy, const float* gamma, const float* mean, const float* inverse, T* dx,
                                double* partial, long long rows, int n, long long chunk) {
    using Total = typename Wide<T>::Type;
    QUERN_SHARED(Total, shared, [2][2][kRowsThreads / 32]);
    const int column = static_cast<int>(threadIdx.x) * Own;
    const bool own = column < n, whole = aligned16(x) && aligned16(dy), whole_dx = aligned16(dx);
    const long long first = static_cast<long long>(blockIdx.x) * chunk, end = min_of(rows, first + chunk);
    const auto read = [&](long long row) {
        Part<T, Own> part{};
        if (row < end && own) {
            part.x.load(x + row * n + column, whole);
            part.dy.load(dy + row * n + column, whole);
        }
        return part;
    };
    const auto prefetch = [&](long long row) {
        if (own && row < end) {
            prefetch_line<Own * sizeof(T)>(x + row * n + column);
            prefetch_line<Own * sizeof(T)>(dy + row * n + column);
        }
    };
    Vec<float, Own> factor{};
    if (own) {
        factor = load_floats<Own>(gamma + column, aligned16(gamma));
    }
    Part<T, Own> next = read(first);
    RowNumbers means(mean, first, end), inverses(inverse, first, end);
#pragma unroll
    for (int i = 1; i < kRowsAhead<T>; i++) {
        prefetch(first + i);
    }
    const Total share = static_cast<Total>(1.0 / n);
    Vec<Pair, Own> sums{};
    int buffer = 0;
#pragma unroll 1
    for (long long row = first; row < end; row++) {
        // h of the row, and g = dy gamma; the next one is under way while these are summed
        Vec<float, Own> h, g;
        const int i = static_cast<int>(row - first);
        const float center = means.of(i), scale = inverses.of(i);
        float of_g = 0, of_h = 0;  // of few elements; all others are summed as Total
#pragma unroll
        for (int i = 0; i < Own; i++) {
            h[i] = (next.x[i] - center) * scale;
            g[i] = next.dy[i] * factor[i];
            sums[i].a += next.dy[i] * h[i];
            sums[i].b += next.dy[i];
            of_g += g[i];
            of_h = fmaf(g[i], h[i], of_h);
        }
        next = read(row + 1);
        if (kRowsAhead<T> > 1) {
            prefetch(row + kRowsAhead<T>);
        }
        // shares first: in f32 the sum over threads may be too large
        Total mean_g = of_g * share, mean_h = of_h * share;
        block_totals(mean_g, mean_h, shared[buffer]);
        buffer ^= 1;  // so that one barrier is enough
        if (own && dx != nullptr) {
            of_g = static_cast<float>(mean_g);
            of_h = static_cast<float>(mean_h);
            Vec<float, Own> out;
#pragma unroll
            for (int i = 0; i < Own; i++) {
                out[i] = scale * (g[i] - of_g - h[i] * of_h);
            }
            store_floats(dx + row * n + column, out, whole_dx);
        }
    }
    if (own) {
        double* out = partial + static_cast<long long>(blockIdx.x) * 2 * n + column;
#pragma unroll
        for (int i = 0; i < Own; i++) {
            out[i] = sums[i].a;
            out[n + i] = sums[i].b;
        }
    }
}

}  // namespace quern::layer_norm

/// y, and mean and inverse deviation of each row, from x (rows, n).
QUERN_KERNEL_BLOCKS_BY_DTYPE(128, 7, layer_norm, (const T* x, const float* gamma, const float* beta, T* y, float* mean, float* inverse,
                      long long rows, int n, double epsilon), {
    overlap_launches();
    const long long row = warp_row(), first = row * n;
    if (row < rows && packed_rows<T>(n)) {
        layer_norm::forward<kLanes<T>>(x + first, gamma, beta, y + first, mean + row, inverse + row, n, epsilon);
    } else if (row < rows) {
        layer_norm::forward<1>(x + first, gamma, beta, y + first, mean + row, inverse + row, n, epsilon);
    }
})

/// dx = inverse (g - mean(g) - h mean(g h)) with g = dy gamma; dx may be dy.
QUERN_KERNEL_BY_DTYPE(128, layer_norm_backward, (const T* x, const T* dy, const float* gamma, const float* mean,
                      const float* inverse, T* dx, long long rows, int n), {
    overlap_launches();
    const long long row = warp_row(), first = row * n;
    if (row < rows && packed_rows<T>(n)) {
        layer_norm::backward<kLanes<T>>(x + first, dy + first, gamma, mean[row], inverse[row], dx + first, n);
    } else if (row < rows) {
        layer_norm::backward<1>(x + first, dy + first, gamma, mean[row], inverse[row], dx + first, n);
    }
})

/// Sums over rows of dy h and dy.
QUERN_KERNEL_BY_DTYPE(256, layer_norm_backward_sums, (const T* x, const T* dy, const float* mean, const float* inverse,
                      double* partial, long long rows, int n), {
    overlap_launches();
    if (n % kLanes<T> == 0) {
        layer_norm::backward_sums<kLanes<T>>(x, dy, mean, inverse, partial, rows, n);
    } else {
        layer_norm::backward_sums<1>(x, dy, mean, inverse, partial, rows, n);
    }
})

/// All of the gradient but the sum over chunks, in one reading; dx may be dy, or null.
QUERN_KERNEL_BY_DTYPE(512, layer_norm_backward_rows, (const T* x, const T* dy, const float* gamma, const float* mean,
                      const float* inverse, T* dx, double* partial, long long rows, int n, long long chunk), {
    overlap_launches();
    constexpr int kLeast = 4;
    if (kLanes<T> > kLeast && packed_rows<T>(n)) {
        layer_norm::backward_rows<kLanes<T>>(x, dy, gamma, mean, inverse, dx, partial, rows, n, chunk);
    } else {
        layer_norm::backward_rows<kLeast>(x, dy, gamma, mean, inverse, dx, partial, rows, n, chunk);
    }
})

/// dgamma and dbeta: blocks of 32 numbers of a chunk's 2 n, 32 chunks at a time.
QUERN_KERNEL(1024, layer_norm_backward_columns_f32, const double* partial, float* dgamma, float* dbeta, int n,
             int chunks) {
    quern::overlap_launches();
    QUERN_SHARED(double, sums, [32][33]);
    const int lane = quern::lane_id(), group = static_cast<int>(threadIdx.x) / 32;
    const int c = static_cast<int>(blockIdx.x) * 32 + lane;
    double sum = 0;
    if (c < 2 * n) {
#pragma unroll 4
        for (int i = group; i < chunks; i += 32) {
            sum += partial[static_cast<long long>(i) * 2 * n + c];
        }
    }
    sums[group][lane] = sum;
    quern::block_barrier();
    sum = quern::warp_sum(sums[lane][group]);
    const int own = static_cast<int>(blockIdx.x) * 32 + group;
    if (lane == 0 && own < 2 * n) {
        (own < n ? dgamma[own] : dbeta[own - n]) = static_cast<float>(sum);
    }
}
