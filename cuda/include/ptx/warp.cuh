// Shuffles, votes and matches within a warp. All lanes of the mask must arrive at the same call.
#pragma once

#include "../types.cuh"

namespace quern {

inline constexpr unsigned kFullMask = 0xffffffffu;

QUERN_DEVICE int lane_id() {
#if QUERN_SIM
    return static_cast<int>(sim::current->lane);
#else
    int lane;
    asm("mov.u32 %0, %%laneid;" : "=r"(lane));
    return lane;
#endif
}

#if QUERN_SIM
namespace emulated {

struct Shuffle {
    u32 value, result;
    int source;
};

inline void shuffle(void* const* lanes, unsigned mask) {
    for (int i = 0; i < 32; i++) {
        if ((mask >> i & 1) != 0) {
            auto* mine = static_cast<Shuffle*>(lanes[i]);
            bool valid = mine->source >= 0 && mine->source < 32 && (mask >> mine->source & 1) != 0;
            mine->result = valid ? static_cast<Shuffle*>(lanes[mine->source])->value : mine->value;
        }
    }
}

inline u32 shuffle(u32 value, int source, unsigned mask, const char* what) {
    Shuffle mine{value, 0, source};
    sim::runtime->collective(mask, &mine, shuffle, what);
    return mine.result;
}

struct Vote {
    u32 value, result;
};

inline void ballot(void* const* lanes, unsigned mask) {
    u32 bits = 0;
    for (int i = 0; i < 32; i++) {
        if ((mask >> i & 1) != 0 && static_cast<Vote*>(lanes[i])->value != 0) {
            bits |= 1u << i;
        }
    }
    for (int i = 0; i < 32; i++) {
        if ((mask >> i & 1) != 0) {
            static_cast<Vote*>(lanes[i])->result = bits;
        }
    }
}

inline void match(void* const* lanes, unsigned mask) {
    for (int i = 0; i < 32; i++) {
        for (int j = 0; (mask >> i & 1) != 0 && j < 32; j++) {
            auto* mine = static_cast<Vote*>(lanes[i]);
            if ((mask >> j & 1) != 0 && static_cast<Vote*>(lanes[j])->value == mine->value) {
                mine->result |= 1u << j;
            }
        }
    }
}

inline void meet(void* const*, unsigned) {}

}  // namespace emulated
#endif

/// The value of lane (own lane XOR mask).
QUERN_DEVICE u32 shuffle_xor(u32 value, int lanes, unsigned mask = kFullMask) {
#if QUERN_SIM
    return emulated::shuffle(value, lane_id() ^ lanes, mask, "shfl.sync.bfly");
#else
    return __shfl_xor_sync(mask, value, lanes);
#endif
}

/// The value of the lane `lanes` higher, or the own one.
QUERN_DEVICE u32 shuffle_down(u32 value, int lanes, unsigned mask = kFullMask) {
#if QUERN_SIM
    return emulated::shuffle(value, lane_id() + lanes, mask, "shfl.sync.down");
#else
    return __shfl_down_sync(mask, value, lanes);
#endif
}

/// The value of the lane `lanes` lower, or the own one.
QUERN_DEVICE u32 shuffle_up(u32 value, int lanes, unsigned mask = kFullMask) {
#if QUERN_SIM
    return emulated::shuffle(value, lane_id() - lanes, mask, "shfl.sync.up");
#else
    return __shfl_up_sync(mask, value, lanes);
#endif
}

/// The value of one lane.
QUERN_DEVICE u32 shuffle_from(u32 value, int lane, unsigned mask = kFullMask) {
#if QUERN_SIM
    return emulated::shuffle(value, lane & 31, mask, "shfl.sync.idx");
#else
    return __shfl_sync(mask, value, lane);
#endif
}

QUERN_DEVICE float shuffle_xor(float value, int lanes, unsigned mask = kFullMask) {
    return __uint_as_float(shuffle_xor(__float_as_uint(value), lanes, mask));
}

QUERN_DEVICE float shuffle_down(float value, int lanes, unsigned mask = kFullMask) {
    return __uint_as_float(shuffle_down(__float_as_uint(value), lanes, mask));
}

QUERN_DEVICE float shuffle_up(float value, int lanes, unsigned mask = kFullMask) {
    return __uint_as_float(shuffle_up(__float_as_uint(value), lanes, mask));
}

QUERN_DEVICE float shuffle_from(float value, int lane, unsigned mask = kFullMask) {
    return __uint_as_float(shuffle_from(__float_as_uint(value), lane, mask));
}

QUERN_DEVICE int shuffle_xor(int value, int lanes, unsigned mask = kFullMask) {
    return static_cast<int>(shuffle_xor(static_cast<u32>(value), lanes, mask));
}

QUERN_DEVICE int shuffle_from(int value, int lane, unsigned mask = kFullMask) {
    return static_cast<int>(shuffle_from(static_cast<u32>(value), lane, mask));
}

/// One bit per lane: its predicate.
QUERN_DEVICE u32 warp_ballot(bool predicate, unsigned mask = kFullMask) {
#if QUERN_SIM
    emulated::Vote mine{predicate, 0};
    sim::runtime->collective(mask, &mine, emulated::ballot, "vote.sync.ballot");
    return mine.result;
#else
    return __ballot_sync(mask, predicate);
#endif
}

QUERN_DEVICE bool warp_any(bool predicate, unsigned mask = kFullMask) { return warp_ballot(predicate, mask) != 0; }

QUERN_DEVICE bool warp_all(bool predicate, unsigned mask = kFullMask) { return warp_ballot(predicate, mask) == mask; }

/// The lanes with the same value.
QUERN_DEVICE u32 warp_match(u32 value, unsigned mask = kFullMask) {
#if QUERN_SIM
    emulated::Vote mine{value, 0};
    sim::runtime->collective(mask, &mine, emulated::match, "match.sync.any");
    return mine.result;
#else
    return __match_any_sync(mask, value);
#endif
}

/// Waits for the lanes of the mask, and orders their memory accesses.
QUERN_DEVICE void warp_barrier(unsigned mask = kFullMask) {
#if QUERN_SIM
    sim::runtime->collective(mask, nullptr, emulated::meet, "bar.warp.sync");
#else
    __syncwarp(mask);
#endif
}

/// One lane of the converged warp, always the same.
QUERN_DEVICE bool elect_one() {
#if QUERN_SIM
    warp_barrier();
    return sim::current->lane == 0;
#elif __CUDA_ARCH__ >= 900
    u32 chosen = 0;
    asm volatile(
        "{\n .reg .pred p;\n elect.sync _|p, 0xffffffff;\n selp.u32 %0, 1, 0, p;\n}\n" : "=r"(chosen));
    return chosen != 0;
#else
    return lane_id() == 0;
#endif
}

}  // namespace quern
