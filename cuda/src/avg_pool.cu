// Mean of each window, and its gradient in gather form; a thread has channels of 16 bytes, or 1, of a pixel, or of a column of
// windows or cells where the geometry is one of those compiled.
#include "pool.cuh"

namespace quern::avg_pool {

/// Any geometry: at is a pixel of y.
template <int Lanes, class T>
QUERN_DEVICE void forward(const T* x, T* y, const Pool& pool, const Strips& strips, const Strip& at) {
    const T* image = pool.image_of(x, at.image, at.lane * Lanes);
    Vec<float, Lanes> sum{};
    for (int a = pool.first_row(at.row); a < pool.end_row(at.row); a++) {
        for (int b = pool.first_column(at.first); b < pool.end_column(at.first); b++) {
            const Vec<float, Lanes> value = load_floats<Lanes>(image + (static_cast<long long>(a) * pool.w + b) * pool.c);
#pragma unroll
            for (int i = 0; i < Lanes; i++) {
                sum[i] += value[i];
            }
        }
    }
    const float divisor = pool.divisor(at.row, at.first);
#pragma unroll
    for (int i = 0; i < Lanes; i++) {
        sum[i] /= divisor;
    }
    store_floats(y + element_of(at, strips, Lanes), sum);
}

/// 1 / divisor of a window of W x W pixels: one of a few constants.
template <int W>
QUERN_DEVICE float share_of(const Pool& pool, int row, int column) {
    const int count = (pool.end_row(row) - pool.first_row(row)) * (pool.end_column(column) - pool.first_column(column));
    float share = 1.0f / (W * W);
#pragma unroll
    for (int i = 1; i < W * W; i++) {
        share = pool.count_padding == 0 && count == i ? 1.0f / i : share;
    }
    return share;
}

/// at.row counts runs of pool.steps rows of y.
template <int W, int S, int Lanes, class T>
QUERN_DEVICE void windows(const T* x, T* y, const Pool& pool, const Strip& at) {
    const T* image = pool.image_of(x, at.image, at.lane * Lanes);
    T* result = y + (static_cast<long long>(at.image) * pool.p * pool.q + at.first) * pool.c + at.lane * Lanes;
    const int left = at.first * S - pool.padding_w;
    const bool near = left < 0 || left + W > pool.w;
    int columns[W];
#pragma unroll
    for (int b = 0; b < W; b++) {
        columns[b] = clamped(left + b, pool.w) * pool.c;
    }
    const int end = min_of(pool.p, (at.row + 1) * pool.steps);
#pragma unroll 1
    for (int row = at.row * pool.steps; row < end; row++) {
        const int top = row * S - pool.padding_h;
        Raw<T, Lanes> values[W][W];
#pragma unroll
        for (int a = 0; a < W; a++) {
            const T* from = image + static_cast<long long>(clamped(top + a, pool.h)) * pool.w * pool.c;
#pragma unroll
            for (int b = 0; b < W; b++) {
                values[a][b].load(from + columns[b]);
            }
        }
        float share = 1.0f / (W * W);
        if (near || top < 0 || top + W > pool.h) {
            share = share_of<W>(pool, row, at.first);
#pragma unroll
            for (int tap = 0; tap < W * W; tap++) {
                if (!within(top + tap / W, pool.h) || !within(left + tap % W, pool.w)) {
                    values[tap / W][tap % W].fill(0);
                }
            }
        }
        Vec<float, Lanes> mean;
#pragma unroll
        for (int i = 0; i < Lanes; i++) {
            float sum = 0;  // of the sums of rows: so few roundings leave room for that of the share
#pragma unroll
            for (int a = 0; a < W; a++) {
                float row_sum = 0;
#pragma unroll
                for (int b = 0; b < W; b++) {
                    row_sum += values[a][b][i];
                }
                sum += row_sum;
            }
            mean[i] = sum * share;
        }
        store_floats(result + static_cast<long long>(row) * pool.q * pool.c, mean);
    }
}

/// Any geometry: at is a pixel of dx.
template <int Lanes, class T>
QUERN_DEVICE void backward(const T* dy, T* dx, const Pool& pool, const Strips& strips, const Strip& at) {
    const T* result = pool.result_of(dy, at.image, at.lane * Lanes);
    Vec<float, Lanes> sum{};
    for (int a = pool.first_window_row(at.row); a < pool.end_window_row(at.row); a++) {
        for (int b = pool.first_window_column(at.first); b < pool.end_window_column(at.first); b++) {
            const Vec<float, Lanes> value = load_floats<Lanes>(result + (static_cast<long long>(a) * pool.q + b) * pool.c);
            const float share = 1.0f / pool.divisor(a, b);
#pragma unroll
            for (int i = 0; i < Lanes; i++) {
                sum[i] += value[i] * share;
            }
        }
    }
    store_floats(dx + element_of(at, strips, Lanes), sum);
}

/// at.first is a cell of a row, at.row counts runs of pool.steps rows of cells.
template <int W, int S, int Lanes, class T>
QUERN_DEVICE void cells(const T* dy, T* dx, const Pool& pool, const Strip& at) {
    using Cell = Cells<W, S>;
    constexpr int K = Cell::kWindows;
    const T* result = pool.result_of(dy, at.image, at.lane * Lanes);
    T* image = dx + static_cast<long long>(at.image) * pool.h * pool.w * pool.c + at.lane * Lanes;
    const int column = at.first + Cell::first_window(pool.padding_w);
    const int left = column * S - pool.padding_w + W - S;
    const int first = at.row * pool.steps + Cell::first_window(pool.padding_h);
    const Columns<W, S> columns(pool, column);
#pragma unroll 1
    for (int row = first; row < first + pool.steps; row++) {
        const int top = row * S - pool.padding_h + W - S;
        if (top >= pool.h) {
            break;
        }
        Raw<T, Lanes> gradients[K][K];
        float shares[K][K];
#pragma unroll
        for (int k = 0; k < K; k++) {
            const T* from = result + static_cast<long long>(clamped(row + k, pool.p)) * pool.q * pool.c;
#pragma unroll
            for (int l = 0; l < K; l++) {
                gradients[k][l].load(from + columns.result[l]);
                shares[k][l] = 1.0f / (W * W);
            }
        }
        const int above = row * S - pool.padding_h;
        if (columns.near || above < 0 || above + Cell::kArea > pool.h || row < 0 || row + K > pool.p) {
#pragma unroll
            for (int k = 0; k < K; k++) {
#pragma unroll
                for (int l = 0; l < K; l++) {
                    shares[k][l] = share_of<W>(pool, row + k, column + l);
                    if (!within(row + k, pool.p) || !within(column + l, pool.q)) {
                        gradients[k][l].fill(0);
                    }
                }
            }
        }
#pragma unroll
        for (int i = 0; i < S; i++) {
#pragma unroll
            for (int j = 0; j < S; j++) {
                Vec<float, Lanes> sum{};
#pragma unroll
                for (int k = 0; k < K; k++) {
#pragma unroll
                    for (int l = 0; l < K; l++) {
                        if (Cell::within(Cell::place(i, k)) && Cell::within(Cell::place(j, l))) {
#pragma unroll
                            for (int lane = 0; lane < Lanes; lane++) {
                                sum[lane] += gradients[k][l][lane] * shares[k][l];
                            }
                        }
                    }
                }
                if (within(top + i, pool.h) && within(left + j, pool.w)) {
                    store_floats(image + (static_cast<long long>(top + i) * pool.w + left + j) * pool.c, sum);
                }
            }
        }
    }
}

}  // namespace quern::avg_pool

/// y (n, p, q, c) from x (n, h, w, c); strips of y.
QUERN_POOL_KERNEL(3, avg_pool, avg_pool::forward, avg_pool::windows, (const T* x, T* y), x, y)

/// dx (n, h, w, c) from dy (n, p, q, c); strips of dx.
QUERN_POOL_KERNEL(3, avg_pool_backward, avg_pool::backward, avg_pool::cells, (const T* dy, T* dx), dy, dx)
