// Largest element of each window, and its gradient in gather form. The winner is the first of the largest, or the first NaN; of
// 0 and -0 in bf16 the result is 0, also where -0 is the winner.
// A thread has channels of 16 bytes, or 1, of a pixel, or of a column of windows or cells where the geometry is one of those
// compiled.
#include "pool.cuh"
#include "ptx/cache.cuh"

namespace quern::max_pool {

/// True where a value takes the place of the largest so far; a NaN that leads stays.
QUERN_DEVICE bool beats(float value, float largest) { return largest == largest && !(value <= largest); }

/// The larger of both, NaN if one is NaN: as lanes of bf16 are compared by two, single ones give the same bits.
template <class T>
QUERN_DEVICE float larger(float value, float largest) {
    if constexpr (kIsBf16<T>) {
        return maximum(value, largest);
    } else {
        return beats(value, largest) ? value : largest;
    }
}

/// Any geometry: at is a pixel of y.
template <int Lanes, class T>
QUERN_DEVICE void forward(const T* x, T* y, const Pool& pool, const Strips& strips, const Strip& at) {
    const T* image = pool.image_of(x, at.image, at.lane * Lanes);
    const int top = pool.first_row(at.row), left = pool.first_column(at.first);
    Vec<float, Lanes> largest = load_floats<Lanes>(image + (static_cast<long long>(top) * pool.w + left) * pool.c);
    for (int a = top; a < pool.end_row(at.row); a++) {
        for (int b = left; b < pool.end_column(at.first); b++) {
            const Vec<float, Lanes> value = load_floats<Lanes>(image + (static_cast<long long>(a) * pool.w + b) * pool.c);
#pragma unroll
            for (int i = 0; i < Lanes; i++) {
                largest[i] = larger<T>(value[i], largest[i]);
            }
        }
    }
    store_floats(y + element_of(at, strips, Lanes), largest);
}

/// The largest of W x W neighbours, to y.
template <int W, int Lanes, class T>
QUERN_DEVICE void store_largest(T* y, const Raw<T, Lanes> (&values)[W][W]) {
    if constexpr (kIsBf16<T> && Lanes % 2 == 0) {
        Raw<T, Lanes> largest = values[0][0];
#pragma unroll
        for (int tap = 1; tap < W * W; tap++) {
#pragma unroll
            for (int i = 0; i < Lanes / 2; i++) {
                largest.words[i] = maximum_of_bf16s(values[tap / W][tap % W].words[i], largest.words[i]);
            }
        }
        largest.store(y);
    } else {
        Vec<float, Lanes> largest;
#pragma unroll
        for (int i = 0; i < Lanes; i++) {
            largest[i] = values[0][0][i];
#pragma unroll
            for (int tap = 1; tap < W * W; tap++) {
                largest[i] = larger<T>(values[tap / W][tap % W][i], largest[i]);
            }
        }
        store_floats(y, largest);
    }
}

/// at.row counts runs of pool.steps rows of y.
template <int W, int S, int Lanes, class T>
QUERN_DEVICE void windows(const T* x, T* y, const Pool& pool, const Strip& at) {
    const T* image = pool.image_of(x, at.image, at.lane * Lanes);
    T* result = y + (static_cast<long long>(at.image) * pool.p * pool.q + at.first) * pool.c + at.lane * Lanes;
    int columns[W];  // a pixel outside is that beside it: it is in the window already
#pragma unroll
    for (int b = 0; b < W; b++) {
        columns[b] = clamped(at.first * S - pool.padding_w + b, pool.w) * pool.c;
    }
    const int end = min_of(pool.p, (at.row + 1) * pool.steps);
#pragma unroll 1
    for (int row = at.row * pool.steps; row < end; row++) {
        Raw<T, Lanes> values[W][W];
#pragma unroll
        for (int a = 0; a < W; a++) {
            const int from = clamped(row * S - pool.padding_h + a, pool.h);
#pragma unroll
            for (int b = 0; b < W; b++) {
                values[a][b].load(image + static_cast<long long>(from) * pool.w * pool.c + columns[b]);
            }
        }
        store_largest<W>(result + static_cast<long long>(row) * pool.q * pool.c, values);
    }
}

/// Any geometry: at is a pixel of dx.
template <int Lanes, class T>
QUERN_DEVICE void backward(const T* x, const T* dy, T* dx, const Pool& pool, const Strips& strips, const Strip& at) {
    const T* image = pool.image_of(x, at.image, at.lane * Lanes);
    const T* result = pool.result_of(dy, at.image, at.lane * Lanes);
    const Vec<float, Lanes> own = load_floats<Lanes>(image + (static_cast<long long>(at.row) * pool.w + at.first) * pool.c);
    Vec<float, Lanes> sum{};
    for (int a = pool.first_window_row(at.row); a < pool.end_window_row(at.row); a++) {
        for (int b = pool.first_window_column(at.first); b < pool.end_window_column(at.first); b++) {
            Vec<bool, Lanes> won;
#pragma unroll
            for (int l = 0; l < Lanes; l++) {
                won[l] = true;
            }
            for (int i = pool.first_row(a); i < pool.end_row(a); i++) {
                for (int j = pool.first_column(b); j < pool.end_column(b); j++) {
                    const Vec<float, Lanes> other =
                        load_floats<Lanes>(image + (static_cast<long long>(i) * pool.w + j) * pool.c);
                    const bool before = i < at.row || (i == at.row && j < at.first), itself = i == at.row && j == at.first;
#pragma unroll
                    for (int l = 0; l < Lanes; l++) {
                        const bool nan = own[l] != own[l];
                        // beats what came before it, and is not beaten by what follows
                        const bool holds = before ? (nan ? other[l] == other[l] : other[l] < own[l]) : nan || other[l] <= own[l];
                        won[l] = won[l] && (itself || holds);
                    }
                }
            }
            const Vec<float, Lanes> gradient =
                load_floats<Lanes>(result + (static_cast<long long>(a) * pool.q + b) * pool.c);
#pragma unroll
            for (int l = 0; l < Lanes; l++) {
                sum[l] += won[l] ? gradient[l] : 0.0f;
            }
        }
    }
    store_floats(dx + element_of(at, strips, Lanes), sum);
}

/// The largest of some pixels of a window, and which it is: a bit for each pixel, in the upper half for lanes of odd number. Lanes of
/// bf16 are compared by two where there are instructions for that.
template <int Lanes, class T>
struct Leader {
    static constexpr bool kPairs = kComparesBf16s && kIsBf16<T> && Lanes % 2 == 0;
    static constexpr int kEntries = kPairs ? Lanes / 2 : Lanes;
    u32 value[kEntries], place[kEntries];

    QUERN_DEVICE static u32 value_of(const Raw<T, Lanes>& pixel, int entry) {
        return kPairs ? pixel.words[entry] : __float_as_uint(pixel[entry]);
    }
    QUERN_DEVICE static u32 place_of(int tap, int entry) { return kPairs ? 0x10001u << tap : 1u << (tap + entry % 2 * 16); }

    /// Another, of pixels behind these, takes the lead where it is larger.
    QUERN_DEVICE void meet(int entry, u32 other, u32 other_place) {
        u32& own = value[entry];
        if constexpr (kPairs) {
            const u32 better = greater_or_nan_of_bf16s(other, own) & numbers_of_bf16s(own);
            own = (other & better) | (own & ~better);
            place[entry] = (other_place & better) | (place[entry] & ~better);
        } else {
            const bool better = beats(__uint_as_float(other), __uint_as_float(own));
            own = better ? other : own;
            place[entry] = better ? other_place : place[entry];
        }
    }

    /// The places of lanes 2 i and 2 i + 1.
    QUERN_DEVICE u32 places(int i) const {
        if constexpr (kPairs) {
            return place[i];
        } else {
            return Lanes == 1 ? place[0] : place[2 * i % kEntries] | place[(2 * i + 1) % kEntries];
        }
    }
};

/// What became of a window: which of its pixels won, and the gradient for it.
template <int Lanes, class T>
struct Outcome {
    u32 winners[(Lanes + 1) / 2];  // the places of two lanes
    Raw<T, Lanes> gradient;

    QUERN_DEVICE bool won(int lane, int tap) const { return (winners[lane / 2] & 1u << (lane % 2 * 16 + tap)) != 0; }
};

/// The leaders of one row of pixels for the K windows of a cell, where it is their row a.
template <int W, int S, int Lanes, class T>
QUERN_DEVICE void lead(const Raw<T, Lanes> (&row)[Cells<W, S>::kArea], int a, Leader<Lanes, T> (&leaders)[Cells<W, S>::kWindows]) {
    using Led = Leader<Lanes, T>;
#pragma unroll
    for (int l = 0; l < Cells<W, S>::kWindows; l++) {
#pragma unroll
        for (int i = 0; i < Led::kEntries; i++) {
            leaders[l].value[i] = Led::value_of(row[l * S], i);
            leaders[l].place[i] = Led::place_of(a * W, i);
#pragma unroll
            for (int b = 1; b < W; b++) {
                leaders[l].meet(i, Led::value_of(row[l * S + b], i), Led::place_of(a * W + b, i));
            }
        }
    }
}

/// Places with those above and left of the image replaced by what they stand for, the first row and column inside.
template <int W>
QUERN_DEVICE u32 inside(u32 places, int above, int left) {
#pragma unroll
    for (int i = 0; i < W - 1; i++) {
        u32 column = 0;
        for (int a = 0; a < W; a++) {
            column |= 0x10001u << (a * W + i);
        }
        column &= places;
        places = i < left ? (places ^ column) | column << 1 : places;
        const u32 row = (0x10001u * ((1u << W) - 1)) << i * W & places;
        places = i < above ? (places ^ row) | row << W : places;
    }
    return places;
}

/// at.first is a cell of a row, at.row counts runs of pool.steps rows of cells. Rows that a window shares with that below it are
/// searched once.
template <int W, int S, int Lanes, class T>
QUERN_DEVICE void cells(const T* x, const T* dy, T* dx, const Pool& pool, const Strip& at) {
    using Cell = Cells<W, S>;
    static_assert(W * W <= 16 && S <= W);
    constexpr int K = Cell::kWindows, E = Cell::kArea, kShared = W - S;
    const T* image = pool.image_of(x, at.image, at.lane * Lanes);
    const T* result = pool.result_of(dy, at.image, at.lane * Lanes);
    T* to = dx + (image - x);
    const int column = at.first + Cell::first_window(pool.padding_w);
    const int left = column * S - pool.padding_w;
    const int first = at.row * pool.steps + Cell::first_window(pool.padding_h);
    const Columns<W, S> columns(pool, column);
    const auto load_row = [&](int row, Raw<T, Lanes>(&values)[E]) {
        const T* from = image + static_cast<long long>(clamped(row, pool.h)) * pool.w * pool.c;
#pragma unroll
        for (int b = 0; b < E; b++) {
            values[b].load(from + columns.image[b]);
        }
    };
    Leader<Lanes, T> leaders[W][K];
    {
        Raw<T, Lanes> values[kShared + 1][E];
#pragma unroll
        for (int a = 0; a < kShared; a++) {
            load_row(first * S - pool.padding_h + a, values[a]);
        }
#pragma unroll
        for (int a = 0; a < kShared; a++) {
            lead<W, S>(values[a], a, leaders[a]);
        }
    }
    Outcome<Lanes, T> outcomes[K][K];
    // rows of windows; when there are K, the cell that they touch is done
#pragma unroll 1
    for (int row = first; row < first + pool.steps + K - 1; row++) {
        const int top = row * S - pool.padding_h;
        const int cell = top - (K - 1) * S + W - S;
        if (cell >= pool.h) {
            break;
        }
        // in bf16, what the next row of cells reads comes to the L2 while this one is searched: no register waits for it
        if constexpr (kIsBf16<T>) {
#pragma unroll
            for (int j = 0; j < S; j++) {
                const T* below = image + static_cast<long long>(clamped(top + kShared + S + j, pool.h)) * pool.w * pool.c;
#pragma unroll
                for (int b = 0; b < S; b++) {
                    prefetch_line<sizeof(Vec<T, Lanes>)>(below + columns.image[kShared + b]);
                }
            }
            prefetch_line<sizeof(Vec<T, Lanes>)>(result + static_cast<long long>(clamped(row + 1, pool.p)) * pool.q * pool.c +
                                                 columns.result[0]);
        }
        Raw<T, Lanes> values[S][E];
#pragma unroll
        for (int a = 0; a < S; a++) {
            load_row(top + kShared + a, values[a]);
        }
#pragma unroll
        for (int k = 1; k < K; k++) {
#pragma unroll
            for (int l = 0; l < K; l++) {
                outcomes[k - 1][l] = outcomes[k][l];
            }
        }
        Outcome<Lanes, T>(&now)[K] = outcomes[K - 1];
        const T* gradients = result + static_cast<long long>(clamped(row, pool.p)) * pool.q * pool.c;
#pragma unroll
        for (int l = 0; l < K; l++) {
            now[l].gradient.load(gradients + columns.result[l]);
        }
#pragma unroll
        for (int a = 0; a < S; a++) {
            lead<W, S>(values[a], kShared + a, leaders[kShared + a]);
        }
#pragma unroll
        for (int l = 0; l < K; l++) {
            Leader<Lanes, T> winner = leaders[0][l];
#pragma unroll
            for (int i = 0; i < Leader<Lanes, T>::kEntries; i++) {
#pragma unroll
                for (int a = 1; a < W; a++) {
                    winner.meet(i, leaders[a][l].value[i], leaders[a][l].place[i]);
                }
            }
#pragma unroll
            for (int i = 0; i < (Lanes + 1) / 2; i++) {
                now[l].winners[i] = winner.places(i);
            }
        }
#pragma unroll
        for (int a = 0; a < kShared; a++) {
#pragma unroll
            for (int l = 0; l < K; l++) {
#pragma unroll
                for (int i = 0; i < Leader<Lanes, T>::kEntries; i++) {
                    leaders[a][l].value[i] = leaders[a + S][l].value[i];
                    leaders[a][l].place[i] = leaders[a + S][l].place[i] >> S * W;
                }
            }
        }
        if (columns.near || top < 0 || !within(row, pool.p)) {
#pragma unroll
            for (int l = 0; l < K; l++) {
                if (!within(row, pool.p) || !within(column + l, pool.q)) {
                    now[l].gradient.fill(0);
                }
#pragma unroll
                for (int i = 0; i < (Lanes + 1) / 2; i++) {
                    now[l].winners[i] = inside<W>(now[l].winners[i], -top, -(left + l * S));
                }
            }
        }
        if (row < first + K - 1) {
            continue;
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
                            const int tap = Cell::place(i, k) * W + Cell::place(j, l);
#pragma unroll
                            for (int lane = 0; lane < Lanes; lane++) {
                                if (outcomes[k][l].won(lane, tap)) {
                                    sum[lane] += outcomes[k][l].gradient[lane];
                                }
                            }
                        }
                    }
                }
                const int a = cell + i, b = left + W - S + j;
                if (within(a, pool.h) && within(b, pool.w)) {
                    store_floats(to + (static_cast<long long>(a) * pool.w + b) * pool.c, sum);
                }
            }
        }
    }
}

}  // namespace quern::max_pool

/// y (n, p, q, c) from x (n, h, w, c); strips of y.
QUERN_POOL_KERNEL(4, max_pool, max_pool::forward, max_pool::windows, (const T* x, T* y), x, y)

/// dx (n, h, w, c) from x and dy (n, p, q, c); strips of dx.
QUERN_POOL_KERNEL(2, max_pool_backward, max_pool::backward, max_pool::cells, (const T* x, const T* dy, T* dx), x, dy, dx)
