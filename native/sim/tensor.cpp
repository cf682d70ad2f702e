// Bulk and tensor copies (TMA): tiles and im2col columns into shared memory, tiles back.
#include <algorithm>
#include <array>
#include <cstring>

#include "abi.h"
#include "async.h"
#include "group.h"
#include "report.h"
#include "tensor_map.h"

namespace quern::driver {

unsigned TensorMap::bytes() const {
    if (im2col != 0) {
        return unsigned{channels} * pixels * element;
    }
    unsigned all = element;
    for (int d = 0; d < rank; d++) {
        all *= extent(d);
    }
    return all;
}

namespace {

using Coordinates = std::array<long, 5>;

const TensorMap& checked(const void* pointer, unsigned shared, unsigned rank, bool im2col) {
    Group& g = *current_group();
    const auto& map = *static_cast<const TensorMap*>(pointer);
    if (reinterpret_cast<uintptr_t>(pointer) % 64 != 0 || map.magic != TensorMap::kMagic || map.rank != rank ||
        (map.im2col != 0) != im2col) {
        g.fail(CUDA_ERROR_ILLEGAL_INSTRUCTION, "a tensor copy with no tensor map of its rank and mode");
    }
    unsigned unit = map.swizzle == 0 ? 128 : 128u << map.swizzle;
    if (shared % unit != 0) {
        g.fail(CUDA_ERROR_MISALIGNED_ADDRESS, text("a tensor copy at shared address 0x%x, which is no multiple of %u", shared, unit));
    }
    return map;
}

/// Calls body(global address or null, offset within the tile) for each 16 bytes of a tile's lines; null is outside.
/// A piece that is partly outside comes element by element.
template <class Body>
void walk_line(const TensorMap& map, bool inside, uint64_t line, long first, unsigned elements, unsigned offset, Body body) {
    unsigned per_piece = 16 / map.element;
    for (unsigned i = 0; i < elements; i += per_piece) {
        long at = first + static_cast<long>(i);
        bool all_in = inside && at >= 0 && static_cast<uint64_t>(at) + per_piece <= map.size(0);
        bool all_out = !inside || at + static_cast<long>(per_piece) <= 0 || at >= static_cast<long>(map.size(0));
        if (all_in || all_out) {
            body(all_in ? reinterpret_cast<char*>(line + static_cast<uint64_t>(at) * map.element) : nullptr, offset + i * map.element, 16u);
            continue;
        }
        for (unsigned j = 0; j < per_piece; j++) {
            long one = at + static_cast<long>(j);
            bool in = one >= 0 && one < static_cast<long>(map.size(0));
            body(in ? reinterpret_cast<char*>(line + static_cast<uint64_t>(one) * map.element) : nullptr,
                 offset + (i + j) * map.element, unsigned{map.element});
        }
    }
}

template <class Body>
void walk_tile(const TensorMap& map, const Coordinates& at, Body body) {
    unsigned extent[5] = {1, 1, 1, 1, 1};
    for (int d = 0; d < map.rank; d++) {
        extent[d] = map.extent(d);
    }
    unsigned lines = extent[1] * extent[2] * extent[3] * extent[4];
    for (unsigned line = 0; line < lines; line++) {
        unsigned rest = line;
        uint64_t address = map.address;
        bool inside = true;
        for (int d = 1; d < map.rank; d++) {
            long coordinate = at[static_cast<size_t>(d)] + static_cast<long>(rest % extent[d]) * map.steps[d];
            rest /= extent[d];
            inside &= coordinate >= 0 && coordinate < static_cast<long>(map.size(d));
            address += static_cast<uint64_t>(coordinate) * map.stride(d);
        }
        walk_line(map, inside, address, at[0], extent[0], line * extent[0] * map.element, body);
    }
}

/// Pixels one after another through the bounding box, each moved by the filter's offset.
template <class Body>
void walk_im2col(const TensorMap& map, const Coordinates& at, const std::array<long, 3>& filter, Body body) {
    int spatial = map.rank - 2;
    Coordinates pixel = at;
    for (unsigned p = 0; p < map.pixels; p++) {
        uint64_t address = map.address;
        bool inside = true;
        for (int d = 1; d < map.rank; d++) {
            long coordinate = pixel[static_cast<size_t>(d)] + (d <= spatial ? filter[static_cast<size_t>(d - 1)] : 0);
            inside &= coordinate >= 0 && coordinate < static_cast<long>(map.size(d));
            address += static_cast<uint64_t>(coordinate) * map.stride(d);
        }
        walk_line(map, inside, address, at[0], map.channels, p * map.channels * map.element, body);
        for (int d = 1; d <= spatial; d++) {
            pixel[static_cast<size_t>(d)] += map.steps[d];
            if (pixel[static_cast<size_t>(d)] < static_cast<long>(map.size(d)) + map.upper[d - 1]) {
                break;
            }
            pixel[static_cast<size_t>(d)] = map.lower[d - 1];
            if (d == spatial) {
                pixel[static_cast<size_t>(d + 1)]++;
            }
        }
    }
}

void tensor_load(unsigned target, const void* pointer, unsigned barrier, const int* coordinates, unsigned rank,
                 const uint16_t* offsets, unsigned multicast) {
    Group& g = *current_group();
    const TensorMap map = checked(pointer, target, rank, offsets != nullptr);
    unsigned bytes = map.bytes();
    Coordinates at{};
    std::copy_n(coordinates, rank, at.begin());
    std::array<long, 3> filter{};
    if (offsets != nullptr) {
        std::copy_n(offsets, rank - 2, filter.begin());
    }
    std::vector<unsigned> ranks;
    for (unsigned r = 0; r < 16; r++) {
        if ((multicast >> r & 1) != 0) {
            ranks.push_back(r);
        }
    }
    if (ranks.empty()) {
        ranks.push_back(target >> 24);
    }
    for (unsigned r : ranks) {
        runtime()->shared_address(in_rank(target, r), bytes, "tensor load");
    }
    auto work = [=] {
        for (unsigned r : ranks) {
            unsigned base = target & 0xffffff;
            char* window = runtime()->shared_address(in_rank(target, r), bytes, "tensor load") - base;
            auto put = [&](const char* source, unsigned offset, unsigned count) {
                char* to = window + swizzled(base + offset, map.swizzle);
                if (source != nullptr) {
                    std::memcpy(to, source, count);
                } else {
                    std::memset(to, map.fill_nan != 0 ? 0x7f : 0, count);
                }
            };
            if (map.im2col != 0) {
                walk_im2col(map, at, filter, put);
            } else {
                walk_tile(map, at, put);
            }
            complete_bytes(in_rank(barrier, r), bytes);
        }
    };
    if (loads_late()) {
        g.defer(work);
    } else {
        work();
    }
}

void add_element(char* target, const char* source, const TensorMap& map) {
    auto add = [&](auto zero) {
        auto sum = zero, term = zero;
        std::memcpy(&sum, target, sizeof sum);
        std::memcpy(&term, source, sizeof term);
        sum += term;
        std::memcpy(target, &sum, sizeof sum);
    };
    switch (map.type) {
        case 2:
            return add(uint32_t{0});
        case 3:
            return add(int32_t{0});
        case 7:
        case 10:
            return add(0.0f);
        case 8:
            return add(0.0);
        default:
            current_group()->fail(CUDA_ERROR_ILLEGAL_INSTRUCTION, text("a reducing tensor store of type %d is not simulated", map.type));
    }
}

void tensor_store(const void* pointer, unsigned source, const int* coordinates, unsigned rank, bool add) {
    const TensorMap map = checked(pointer, source, rank, false);
    Coordinates at{};
    std::copy_n(coordinates, rank, at.begin());
    runtime()->shared_address(source, map.bytes(), "tensor store");
    issue(issued().bulk, [=] {
        unsigned base = source & 0xffffff;
        const char* window = runtime()->shared_address(source, map.bytes(), "tensor store") - base;
        walk_tile(map, at, [&](char* target, unsigned offset, unsigned count) {
            const char* from = window + swizzled(base + offset, map.swizzle);
            if (target == nullptr) {
                return;
            }
            for (unsigned i = 0; add && i < count; i += map.element) {
                add_element(target + i, from + i, map);
            }
            if (!add) {
                std::memcpy(target, from, count);
            }
        });
    });
}

void check_bulk(const void* global, unsigned shared, unsigned bytes) {
    if (((reinterpret_cast<uintptr_t>(global) | shared | bytes) & 15) != 0) {
        current_group()->fail(CUDA_ERROR_MISALIGNED_ADDRESS,
                              text("a bulk copy of %u bytes between %p and shared 0x%x: all must be multiples of 16", bytes, global, shared));
    }
}

void bulk_load(unsigned target, const void* source, unsigned bytes, unsigned barrier, unsigned multicast) {
    check_bulk(source, target, bytes);
    auto work = [=] {
        for (unsigned r = 0; r < 16; r++) {
            if (multicast == 0 ? r == target >> 24 : (multicast >> r & 1) != 0) {
                std::memcpy(runtime()->shared_address(in_rank(target, r), bytes, "bulk load"), source, bytes);
                complete_bytes(in_rank(barrier, r), bytes);
            }
        }
    };
    if (loads_late()) {
        current_group()->defer(work);
    } else {
        work();
    }
}

void bulk_store(void* target, unsigned source, unsigned bytes) {
    check_bulk(target, source, bytes);
    issue(issued().bulk, [=] { std::memcpy(target, runtime()->shared_address(source, bytes, "bulk store"), bytes); });
}

void bulk_commit() {
    if (runtime()->late) {
        issued().bulk.commit();
    }
}

void bulk_wait(unsigned groups_left, bool) {
    if (runtime()->late) {
        issued().bulk.complete(groups_left);
    }
}

}  // namespace

void add_tensor_calls(sim::Runtime& calls) {
    calls.tensor_load = tensor_load;
    calls.tensor_store = tensor_store;
    calls.bulk_load = bulk_load;
    calls.bulk_store = bulk_store;
    calls.bulk_commit = bulk_commit;
    calls.bulk_wait = bulk_wait;
}

}  // namespace quern::driver
