// Tensor maps, TMA, wgmma and clusters of the simulated driver, against plain loops.
#include <cmath>

#include "check.h"

namespace {

std::string image;

uint16_t to_bf16(float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, 4);
    return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// small integers, so that sums are exact in any order
float value(size_t i) { return static_cast<float>(static_cast<int>(i * 7 % 13) - 6); }

enum { kFloat32 = 7, kBfloat16 = 9, kSwizzle128 = 3 };

CUtensorMap tiled(CUdeviceptr address, int type, unsigned element, uint64_t width, uint64_t height, unsigned box_width,
                  unsigned box_height, int swizzle) {
    CUtensorMap map;
    uint64_t sizes[] = {width, height}, strides[] = {width * element};
    uint32_t box[] = {box_width, box_height}, steps[] = {1, 1};
    OK(cuTensorMapEncodeTiled(&map, type, 2, reinterpret_cast<void*>(address), sizes, strides, box, steps, 0, swizzle, 0, 0));
    return map;
}

CUdeviceptr bf16_matrix(Device& d, size_t n) {
    std::vector<uint16_t> values(n);
    for (size_t i = 0; i < n; i++) {
        values[i] = to_bf16(value(i));
    }
    return d.upload(values);
}

CUdeviceptr f32_matrix(Device& d, size_t n) {
    std::vector<float> values(n);
    for (size_t i = 0; i < n; i++) {
        values[i] = value(i);
    }
    return d.upload(values);
}

void ring(int late) {
    for (int fault : {0, 1, 2, 3}) {
        Device d(image, late);
        size_t k = 328, m = 50, n = 120;  // edges in all dimensions
        CUdeviceptr a = bf16_matrix(d, m * k), b = bf16_matrix(d, n * k);
        CUdeviceptr c = d.upload(std::vector<float>(m * n, -1));
        CUtensorMap map_a = tiled(a, kBfloat16, 2, k, m, 64, 64, kSwizzle128), map_b = tiled(b, kBfloat16, 2, k, n, 64, 128, kSwizzle128);
        CUtensorMap map_c = tiled(c, kFloat32, 4, n, m, 32, 64, 0);
        unsigned shared = 3 * (64 + 128) * 128 + 64 * 128 * 4;
        OK(cuFuncSetAttribute(d.function("ring_bf16"), 8, static_cast<int>(shared)));
        (void)d.launch_shared("ring_bf16", 1, 256, shared, map_a, map_b, map_c, static_cast<int>(k), fault);
        if (fault == 1) {
            EXPECT(CUDA_ERROR_LAUNCH_TIMEOUT, cuStreamSynchronize(d.stream));
            reported("deadlock");
            reported("threads 128 wait at mbarrier");
            continue;
        }
        std::vector<float> got = d.download<float>(c, m * n);
        bool same = true;
        for (size_t i = 0; i < m; i++) {
            for (size_t j = 0; j < n; j++) {
                float sum = 0;
                for (size_t q = 0; q < k; q++) {
                    sum += value(i * k + q) * value(j * k + q);
                }
                same &= got[i * n + j] == sum;
            }
        }
        // without the wait the last sums are missing, unless they are early; a slot is overwritten only by early loads
        CHECK(same == !((fault == 2 && late != 0) || (fault == 3 && late == 2)));
    }
}

void layouts(int late) {
    Device d(image, late);
    CUdeviceptr a = bf16_matrix(d, 32 * 64), b = bf16_matrix(d, 32 * 64), c = d.upload(std::vector<float>(64 * 64));
    CUtensorMap map_a = tiled(a, kBfloat16, 2, 64, 32, 64, 32, kSwizzle128), map_b = tiled(b, kBfloat16, 2, 64, 32, 64, 32, kSwizzle128);
    OK(d.launch_shared("transposed_bf16", 1, 128, 2 * 32 * 128, map_a, map_b, c));
    std::vector<float> got = d.download<float>(c, 64 * 64);
    CUdeviceptr fa = f32_matrix(d, 64 * 32), fb = f32_matrix(d, 64 * 32);
    CUtensorMap map_fa = tiled(fa, kFloat32, 4, 32, 64, 32, 64, kSwizzle128), map_fb = tiled(fb, kFloat32, 4, 32, 64, 32, 64, kSwizzle128);
    OK(d.launch_shared("product_tf32", 1, 128, 2 * 64 * 128, map_fa, map_fb, c));
    std::vector<float> tf32 = d.download<float>(c, 64 * 64);
    bool same = true, same_tf32 = true;
    for (size_t i = 0; i < 64; i++) {
        for (size_t j = 0; j < 64; j++) {
            float sum = 0, sum_tf32 = 0;
            for (size_t q = 0; q < 32; q++) {
                sum += value(q * 64 + i) * value(q * 64 + j);
                sum_tf32 += value(i * 32 + q) * value(j * 32 + q);
            }
            same &= got[i * 64 + j] == sum;
            same_tf32 &= tf32[i * 64 + j] == sum_tf32;
        }
    }
    CHECK(same);
    CHECK(same_tf32);
}

/// The columns of a 3x3 convolution with padding 1 and the given stride over two images of 5 x 7 x 8.
void im2col(int late) {
    const int images = 2, height = 5, width = 7, channels = 8, taps = 3, pad = 1;
    for (int stride : {1, 2}) {
        Device d(image, late);
        CUdeviceptr x = f32_matrix(d, static_cast<size_t>(images * height * width * channels)), y = d.upload(std::vector<float>(256));
        int out_h = (height + 2 * pad - taps) / stride + 1, out_w = (width + 2 * pad - taps) / stride + 1;
        CUtensorMap map;
        uint64_t sizes[] = {channels, width, height, images};
        uint64_t strides[] = {channels * 4, channels * 4 * width, channels * 4 * width * height};
        int lower[] = {-pad, -pad};
        int upper[] = {(out_w - 1) * stride + 1 - width - pad, (out_h - 1) * stride + 1 - height - pad};
        uint32_t steps[] = {1, static_cast<uint32_t>(stride), static_cast<uint32_t>(stride), 1};
        OK(cuTensorMapEncodeIm2col(&map, kFloat32, 4, reinterpret_cast<void*>(x), sizes, strides, lower, upper, channels, 32, steps,
                                   0, 0, 0, 0));
        for (int first : {0, 4, 30}) {
            if (first >= images * out_h * out_w) {
                continue;
            }
            for (int tap = 0; tap < 9; tap++) {
                int n = first / (out_h * out_w), p = first / out_w % out_h, q = first % out_w;
                OK(d.launch_shared("columns", 1, 32, 1024, map, y, q * stride - pad, p * stride - pad, n, tap % 3, tap / 3));
                std::vector<float> got = d.download<float>(y, 256);
                bool same = true;
                for (int i = 0; i < 32; i++) {
                    int pixel = first + i, item = pixel / (out_h * out_w);
                    int h = pixel / out_w % out_h * stride - pad + tap / 3, w = pixel % out_w * stride - pad + tap % 3;
                    for (int c = 0; c < channels; c++) {
                        bool inside = item < images && h >= 0 && h < height && w >= 0 && w < width;
                        size_t at = static_cast<size_t>(((item * height + h) * width + w) * channels + c);
                        same &= got[static_cast<size_t>(i * channels + c)] == (inside ? value(at) : 0.0f);
                    }
                }
                CHECK(same);
            }
        }
    }
}

void clusters(int late) {
    for (int fault : {0, 1}) {
        Device d(image, late);
        CUdeviceptr x = f32_matrix(d, 64), y = d.upload(std::vector<float>(4 * 64));
        CUtensorMap map = tiled(x, kFloat32, 4, 32, 2, 32, 2, 0);
        d.cluster = 2;
        (void)d.launch_shared("cluster_pair", 4, 64, 1024, map, y, fault);
        if (fault == 1) {
            EXPECT(CUDA_ERROR_LAUNCH_TIMEOUT, cuStreamSynchronize(d.stream));
            reported("block (0,0,0): threads 0-63 wait at barrier.cluster");
            continue;
        }
        std::vector<float> got = d.download<float>(y, 256);
        for (size_t i = 0; i < 256; i++) {
            size_t other = i / 64 % 2 == 0 ? 2 : 1;
            CHECK(got[i] == value(i % 64) + static_cast<float>(100 * other + i % 64));
        }
        EXPECT(CUDA_ERROR_INVALID_CLUSTER_SIZE, d.launch_shared("cluster_pair", 3, 64, 1024, map, y, 0));
    }
}

void map_checks(int late) {
    Device d(image, late);
    CUdeviceptr x = d.upload(std::vector<float>(4096));
    CUtensorMap map;
    uint64_t sizes[] = {64, 64}, strides[] = {256}, odd_strides[] = {260};
    uint32_t box[] = {32, 64}, wide[] = {64, 64}, tall[] = {32, 257}, steps[] = {1, 1};
    auto encode = [&](CUdeviceptr at, const uint64_t* s, const uint32_t* b, int swizzle) {
        return cuTensorMapEncodeTiled(&map, kFloat32, 2, reinterpret_cast<void*>(at), sizes, s, b, steps, 0, swizzle, 0, 0);
    };
    OK(encode(x, strides, box, kSwizzle128));
    EXPECT(CUDA_ERROR_INVALID_VALUE, encode(x + 4, strides, box, kSwizzle128));
    EXPECT(CUDA_ERROR_INVALID_VALUE, encode(x, odd_strides, box, kSwizzle128));
    EXPECT(CUDA_ERROR_INVALID_VALUE, encode(x, strides, wide, kSwizzle128));
    EXPECT(CUDA_ERROR_INVALID_VALUE, encode(x, strides, tall, kSwizzle128));
    // the module is for compute capability 9.0 alone
    quern_sim_reset();
    quern_sim_set_compute_capability(10, 0);
    OK(cuInit(0));
    std::vector<char> bytes = read_file(image);
    CUlibrary library;
    EXPECT(CUDA_ERROR_NO_BINARY_FOR_GPU, cuLibraryLoadData(&library, bytes.data(), nullptr, nullptr, 0, nullptr, nullptr, 0));
}

}  // namespace

int main(int, char** arguments) {
    image = arguments[1];
    const char* const modes[] = {", eager", ", late", ", mixed"};
    for (int late = 0; late < 3; late++) {
        const char* mode = modes[late];
        test(std::string("ring of TMA and wgmma") + mode, [&] { ring(late); });
        test(std::string("layouts of wgmma") + mode, [&] { layouts(late); });
        test(std::string("im2col") + mode, [&] { im2col(late); });
        test(std::string("clusters") + mode, [&] { clusters(late); });
        test(std::string("tensor map checks") + mode, [&] { map_checks(late); });
    }
    return summary();
}
