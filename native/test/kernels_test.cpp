// The kernels of cuda/src on the simulated driver against plain loops in double, on shapes with edges.
#include "products.h"

namespace {

std::string image;

struct Divider {
    unsigned multiplier;
    int shift;

    explicit Divider(unsigned divisor = 1) : multiplier(0), shift(0) {
        while (1u << shift < divisor) {
            shift++;
        }
        multiplier = static_cast<unsigned>(((1ull << (31 + shift)) + divisor - 1) / divisor);
    }
};

struct Axes {
    int rank;
    long long sizes[8], strides[8];
    Divider by[8];
};

struct Planes {
    long long row_stride, column_stride;
    int rows, columns, across, down;
    Divider by_across, by_down;
    int log_rows, packed, rank;
    long long sizes[6], x_strides[6], y_strides[6];
    Divider by[6];
};

void product(Device& d, const std::string& type, bool narrow, int tile, int m, int n, int k, int layout, int batch, int splits,
             float beta, unsigned threshold) {
    Product product(d, type, narrow, m, n, k, layout, batch, splits, beta, threshold);
    std::string name = "matmul_" + product.layout() + "_" + type + "_" + std::to_string(tile);
    void* parameters[] = {&product.p, &product.rng, &product.step};
    int rows = std::min(tile, 128);  // 256: of 128 x 256
    unsigned shared = type == "bf16" && tile == 256 ? 73728 : 0;
    OK(cuFuncSetAttribute(d.function(name.c_str()), 8, static_cast<int>(shared)));
    CUlaunchConfig config{static_cast<unsigned>((n + tile - 1) / tile), static_cast<unsigned>((m + rows - 1) / rows),
                          static_cast<unsigned>(batch * splits), type == "f32" || tile == 256 ? 256u : 128u, 1, 1,
                          shared, d.stream, nullptr, 0};
    OK(cuLaunchKernelEx(&config, d.function(name.c_str()), parameters, nullptr));
    if (splits > 1) {
        OK(d.launch("matmul_finish", 3, 256, product.p, product.rng, product.step));
    }
    product.verify();
}

void matmul(bool late) {
    Device d(image, late);
    const int sizes[][3] = {{1, 1, 1}, {5, 7, 3}, {64, 64, 16}, {65, 130, 33}, {128, 128, 64}, {150, 136, 104}, {3, 200, 257}, {131, 270, 21}};
    for (const char* type : {"f32", "tf32", "bf16"}) {
        bool half = type[0] == 'b';
        for (auto& size : sizes) {
            for (int layout = 0; layout < 4; layout++) {
                for (int tile : {64, 128, 256}) {
                    if (tile == 256 && type[0] == 't') {
                        continue;
                    }
                    product(d, type, half, tile, size[0], size[1], size[2], layout, 1, 1, 0, layout * 5000);
                }
            }
        }
        product(d, type, half, 64, 37, 41, 100, 0, 3, 1, 0.25f, 0);
        product(d, type, false, 64, 37, 41, 100, 2, 3, 4, 0.25f, 20000);
        product(d, type, half, 64, 40, 48, 128, 3, 2, 4, 0.25f, 20000);
        product(d, type, false, 128, 130, 60, 90, 1, 1, 9, 0, 20000);
    }
    product(d, "f32", false, 256, 130, 60, 90, 1, 2, 9, 0.25f, 20000);
    // ten rows of tiles, more than a group
    product(d, "bf16", true, 64, 650, 130, 8, 0, 1, 1, 0, 0);
}

void reductions(bool late) {
    Device d(image, late);
    for (long long n : {1LL, 31LL, 33LL, 1000LL, 4099LL}) {
        std::vector<float> x = numbers(static_cast<size_t>(n * 5), 7);
        CUdeviceptr dx = d.upload(x), dy = d.upload(std::vector<float>(static_cast<size_t>(n * 5)));
        for (int kind = 0; kind < 3; kind++) {
            auto combine = [&](double a, double b) { return kind == 2 ? std::max(a, b) : a + b; };
            float scale = kind == 1 ? 0.25f : 1.0f;
            auto check = [&](size_t count, const std::function<double(size_t, size_t)>& at, size_t reduced) {
                std::vector<float> y = d.download<float>(dy, count);
                for (size_t i = 0; i < count; i++) {
                    double expected = kind == 2 ? -INFINITY : 0;
                    for (size_t r = 0; r < reduced; r++) {
                        expected = combine(expected, at(i, r));
                    }
                    CHECK(std::abs(y[i] - expected * scale) <= static_cast<double>(n) * 6e-8 * 5);
                }
            };
            size_t c = static_cast<size_t>(n);
            OK(d.launch("reduce_rows_f32", 1, 256, dx, dy, kind, 5LL, n, scale));
            check(5, [&](size_t i, size_t r) { return x[i * c + r]; }, c);
            OK(d.launch("reduce_long_rows_f32", 5, 256, dx, dy, kind, n, scale));
            check(5, [&](size_t i, size_t r) { return x[i * c + r]; }, c);
            void* parameters[] = {&dx, &dy, &kind, nullptr, nullptr, nullptr, &scale};
            long long outer = 1, reduced = 5;
            parameters[3] = &outer;
            parameters[4] = &reduced;
            parameters[5] = &n;
            CUlaunchConfig config{static_cast<unsigned>((n + 31) / 32), 1, 1, 32, 8, 1, 0, d.stream, nullptr, 0};
            OK(cuLaunchKernelEx(&config, d.function("reduce_columns_f32"), parameters, nullptr));
            check(c, [&](size_t i, size_t r) { return x[r * c + i]; }, 5);
        }
        CUdeviceptr index = d.upload(std::vector<int>(5));
        OK(d.launch("arg_max_f32", 1, 256, dx, index, 5LL, static_cast<int>(n)));
        std::vector<int> found = d.download<int>(index, 5);
        for (size_t row = 0; row < 5; row++) {
            auto begin = x.begin() + static_cast<long>(row) * n;
            CHECK(found[row] == std::max_element(begin, begin + n) - begin);
        }
        CUdeviceptr partial = d.upload(std::vector<float>(2)), norm = d.upload(std::vector<float>(1));
        unsigned blocks = static_cast<unsigned>((n * 5 + 16383) / 16384);
        OK(d.launch("squared_norm_f32", blocks, 256, dx, partial, n * 5));
        OK(d.launch("squared_norm_finish_f32", 1, 256, partial, norm, static_cast<int>(blocks)));
        double square = 0;
        for (float v : x) {
            square += static_cast<double>(v) * v;
        }
        CHECK(std::abs(d.download<float>(norm, 1)[0] - square) < square * 1e-5);
    }
}

void transposes(bool late) {
    Device d(image, late);
    int rows = 68, columns = 72, batch = 3;
    std::vector<float> x = numbers(static_cast<size_t>(rows * columns * batch), 9);
    CUdeviceptr dx = d.upload(x), dy = d.upload(x), dz = d.upload(x);
    // tiles of 64 x 64: rows and columns are at 16 bytes
    Planes planes{columns, rows, rows, columns, 2, 2, Divider(2), Divider(2), 6, 3, 1, {batch}, {rows * columns}, {rows * columns},
                  {Divider(static_cast<unsigned>(batch))}};
    OK(d.launch("transpose_32", static_cast<unsigned>(4 * batch), 256, dx, dy, planes));
    Axes axes{3, {batch, columns, rows}, {rows * columns, 1, columns},
              {Divider(static_cast<unsigned>(batch)), Divider(static_cast<unsigned>(columns)), Divider(static_cast<unsigned>(rows))}};
    OK(d.launch("permute_32", 5, 256, dx, dz, axes, static_cast<long long>(x.size())));
    std::vector<float> y = d.download<float>(dy, x.size()), z = d.download<float>(dz, x.size());
    bool same = true;
    for (int b = 0; b < batch; b++) {
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                same &= y[static_cast<size_t>((b * columns + c) * rows + r)] == x[static_cast<size_t>((b * rows + r) * columns + c)];
            }
        }
    }
    CHECK(same);
    CHECK(y == z);
}

void dropout(bool late) {
    unsigned words[4];
    philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0, words);
    CHECK(words[0] == 0xd16cfe09 && words[1] == 0x94fdcceb && words[2] == 0x5001e420 && words[3] == 0x24126ea1);
    Device d(image, late);
    Key key{0x89abcdef, 0x01234567, 3, 7};
    for (long long n : {1LL, 8LL, 1001LL}) {
        for (long long shift : {0LL, 1LL}) {
            std::vector<float> x = numbers(static_cast<size_t>(n + 1), 5);
            CUdeviceptr dx = d.upload(x), dy = d.upload(x), none = 0, step = d.upload(std::vector<unsigned>{7});
            unsigned threshold = 13107;
            float scale = 65536.0f / (65536 - 13107);
            Key other{key.low, key.high, key.stream, 99};
            OK(d.launch("dropout_f32", 2, 256, dx + 4 * static_cast<CUdeviceptr>(shift), dy, shift ? other : key, shift ? step : none,
                        threshold, scale, n));
            std::vector<float> y = d.download<float>(dy, static_cast<size_t>(n));
            for (long long i = 0; i < n; i++) {
                CHECK(y[static_cast<size_t>(i)] == (dropped(key, i, threshold) ? 0.0f : x[static_cast<size_t>(i + shift)] * scale));
            }
        }
    }
}

}  // namespace

int main(int, char** arguments) {
    image = arguments[1];
    for (bool late : {false, true}) {
        const char* mode = late ? ", late" : ", eager";
        test(std::string("matmul") + mode, [&] { matmul(late); });
        test(std::string("reductions") + mode, [&] { reductions(late); });
        test(std::string("transposes") + mode, [&] { transposes(late); });
        test(std::string("dropout") + mode, [&] { dropout(late); });
    }
    return summary();
}
