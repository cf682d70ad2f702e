// Entry points: tensor maps, with every restriction that the driver documents for what is simulated.
#include <cstring>

#include "report.h"
#include "simulator.h"
#include "tensor_map.h"

using namespace quern::driver;

namespace {

// bytes of an element by CUtensorMapDataType: u8 u16 u32 s32 u64 s64 f16 f32 f64 bf16 f32ftz tf32 tf32ftz
constexpr int kElement[] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2, 4, 4, 4};

CUresult refuse(const char* call, const std::string& why) {
    report(std::string(call) + ": " + why);
    return CUDA_ERROR_INVALID_VALUE;
}

CUresult common(const char* call, TensorMap* map, int type, uint32_t rank, void* address, const uint64_t* sizes,
                const uint64_t* strides, const uint32_t* steps, int interleave, int swizzle, int fill) {
    if (type < 0 || type > 12 || interleave != 0 || swizzle < 0 || swizzle > 3 || fill < 0 || fill > 1) {
        return refuse(call, text("type %d, interleave %d, swizzle %d, fill %d; simulated are types 0..12, interleave 0, swizzles 0..3",
                                 type, interleave, swizzle, fill));
    }
    if (reinterpret_cast<uintptr_t>(address) % 16 != 0) {
        return refuse(call, text("the address %p is no multiple of 16", address));
    }
    *map = {};
    map->magic = TensorMap::kMagic;
    map->rank = static_cast<uint8_t>(rank);
    map->type = static_cast<uint8_t>(type);
    map->element = static_cast<uint8_t>(kElement[type]);
    map->address = reinterpret_cast<uintptr_t>(address);
    map->swizzle = static_cast<uint8_t>(swizzle);
    map->fill_nan = static_cast<uint8_t>(fill);
    for (uint32_t d = 0; d < rank; d++) {
        if (sizes[d] == 0 || sizes[d] > uint64_t{1} << 32) {
            return refuse(call, text("size %u is %llu, expected 1 .. 2^32", d, static_cast<unsigned long long>(sizes[d])));
        }
        map->last[d] = static_cast<uint32_t>(sizes[d] - 1);
        if (steps[d] == 0 || steps[d] > 8) {
            return refuse(call, text("element stride %u is %u, expected 1 .. 8", d, steps[d]));
        }
        map->steps[d] = static_cast<uint8_t>(steps[d]);
        if (d > 0) {
            uint64_t stride = strides[d - 1];
            if (stride % 16 != 0 || stride >= uint64_t{1} << 36) {
                return refuse(call, text("stride %u is %llu bytes, expected a multiple of 16", d,
                                         static_cast<unsigned long long>(stride)));
            }
            map->stride16[d - 1] = static_cast<uint32_t>(stride / 16);
        }
    }
    if (steps[0] != 1) {
        return refuse(call, "the innermost element stride is not 1, which is not simulated");
    }
    return CUDA_SUCCESS;
}

CUresult check_inner(const char* call, unsigned bytes, int swizzle) {
    if (bytes % 16 != 0) {
        return refuse(call, text("the box is %u bytes wide, expected a multiple of 16", bytes));
    }
    if (swizzle != 0 && bytes > 16u << swizzle) {
        return refuse(call, text("the box is %u bytes wide, more than the swizzle's %u", bytes, 16u << swizzle));
    }
    return CUDA_SUCCESS;
}

}  // namespace

QUERN_API CUresult cuTensorMapEncodeTiled(CUtensorMap* target, int type, uint32_t rank, void* address, const uint64_t* sizes,
                                          const uint64_t* strides, const uint32_t* box, const uint32_t* steps, int interleave,
                                          int swizzle, int, int fill) {
    Call call("cuTensorMapEncodeTiled", Needs::driver);
    if (call) {
        return call.error();
    }
    if (target == nullptr || reinterpret_cast<uintptr_t>(target) % 64 != 0 || rank < 1 || rank > 5) {
        return refuse(call.kind(), "the map must be aligned to 64 bytes, the rank 1 to 5");
    }
    TensorMap map;
    if (CUresult error = common(call.kind(), &map, type, rank, address, sizes, strides, steps, interleave, swizzle, fill)) {
        return error;
    }
    for (uint32_t d = 0; d < rank; d++) {
        if (box[d] == 0 || box[d] > 256) {
            return refuse(call.kind(), text("box %u is %u, expected 1 .. 256", d, box[d]));
        }
        map.box[d] = static_cast<uint16_t>(box[d]);
    }
    if (CUresult error = check_inner(call.kind(), box[0] * map.element, swizzle)) {
        return error;
    }
    std::memset(target, 0, sizeof *target);
    std::memcpy(target, &map, sizeof map);
    return call.end();
}

QUERN_API CUresult cuTensorMapEncodeIm2col(CUtensorMap* target, int type, uint32_t rank, void* address, const uint64_t* sizes,
                                           const uint64_t* strides, const int* lower, const int* upper, uint32_t channels,
                                           uint32_t pixels, const uint32_t* steps, int interleave, int swizzle, int, int fill) {
    Call call("cuTensorMapEncodeIm2col", Needs::driver);
    if (call) {
        return call.error();
    }
    if (target == nullptr || reinterpret_cast<uintptr_t>(target) % 64 != 0 || rank < 3 || rank > 5) {
        return refuse(call.kind(), "the map must be aligned to 64 bytes, the rank 3 to 5");
    }
    TensorMap map;
    if (CUresult error = common(call.kind(), &map, type, rank, address, sizes, strides, steps, interleave, swizzle, fill)) {
        return error;
    }
    if (channels == 0 || channels > 256 || pixels == 0 || pixels > 1024) {
        return refuse(call.kind(), text("%u channels and %u pixels, expected at most 256 and 1024", channels, pixels));
    }
    map.im2col = 1;
    map.channels = static_cast<uint16_t>(channels);
    map.pixels = static_cast<uint16_t>(pixels);
    int bits = rank == 3 ? 16 : rank == 4 ? 8 : 5;
    for (uint32_t d = 0; d < rank - 2; d++) {
        int limit = 1 << (bits - 1);
        if (lower[d] < -limit || lower[d] >= limit || upper[d] < -limit || upper[d] >= limit) {
            return refuse(call.kind(), text("corners %d and %d, expected %d .. %d", lower[d], upper[d], -limit, limit - 1));
        }
        map.lower[d] = static_cast<int16_t>(lower[d]);
        map.upper[d] = static_cast<int16_t>(upper[d]);
    }
    if (CUresult error = check_inner(call.kind(), channels * map.element, swizzle)) {
        return error;
    }
    std::memset(target, 0, sizeof *target);
    std::memcpy(target, &map, sizeof map);
    return call.end();
}
