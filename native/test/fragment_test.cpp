// The simulator's mma.sync, ldmatrix and cp.async against the layouts that the PTX ISA documents, written out here anew:
// sections "Matrix Fragments for mma.m16n8k16", "... mma.m16n8k8" and "ldmatrix".
#include "check.h"

#include <array>
#include <cmath>
#include <random>

namespace {

std::string image;

struct Place {
    int row, column;
};

// "groupID" and "threadID_in_group" are the ISA's words
Place a16(int lane, int i) {
    int groupID = lane >> 2, threadID_in_group = lane % 4;
    int row = (0 <= i && i < 2) || (4 <= i && i < 6) ? groupID : groupID + 8;
    int column = i < 4 ? threadID_in_group * 2 + (i & 1) : threadID_in_group * 2 + (i & 1) + 8;
    return {row, column};
}

Place b16(int lane, int i) {
    int groupID = lane >> 2, threadID_in_group = lane % 4;
    return {i < 2 ? threadID_in_group * 2 + (i & 1) : threadID_in_group * 2 + (i & 1) + 8, groupID};
}

Place a_tf32(int lane, int i) {
    int groupID = lane >> 2, threadID_in_group = lane % 4;
    return {i == 0 || i == 2 ? groupID : groupID + 8, i == 0 || i == 1 ? threadID_in_group : threadID_in_group + 4};
}

Place b_tf32(int lane, int i) {
    int groupID = lane >> 2, threadID_in_group = lane % 4;
    return {i == 0 ? threadID_in_group : threadID_in_group + 4, groupID};
}

Place sums(int lane, int i) {
    int groupID = lane >> 2, threadID_in_group = lane % 4;
    return {i < 2 ? groupID : groupID + 8, threadID_in_group * 2 + (i & 1)};
}

uint32_t bits_of(float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, 4);
    return bits;
}

// binary16 of a number with few bits and a normal exponent
uint32_t half(float x) {
    uint32_t bits = bits_of(x);
    return x == 0 ? bits >> 16 & 0x8000 : (bits >> 16 & 0x8000) | (((bits >> 13) - (112 << 10)) & 0x7fff);
}

/// One product of random matrices; magnitudes from 2^-6 to 2^6, or whole numbers, whose sums are exact.
void product(Device& d, int kind, bool whole, unsigned seed) {
    std::mt19937 generator(seed);
    const int depth = kind == 2 ? 8 : 16;
    auto number = [&] {
        if (whole) {
            return static_cast<float>(static_cast<int>(generator() % 33) - 16);
        }
        float x = std::ldexp(1.0f + static_cast<float>(generator() % 128) / 128, static_cast<int>(generator() % 12) - 6);
        return generator() % 2 == 0 ? x : -x;
    };
    double a[16][16] = {}, b[16][8] = {}, c[16][8];
    std::vector<uint32_t> ra(128), rb(64);
    std::vector<float> rc(128);
    for (int lane = 0; lane < 32; lane++) {
        for (int i = 0; i < (kind == 2 ? 4 : 8); i++) {
            float x = number();
            Place at = kind == 2 ? a_tf32(lane, i) : a16(lane, i);
            a[at.row][at.column] = x;
            size_t r = static_cast<size_t>(lane * 4 + (kind == 2 ? i : i / 2));
            // what is below the 19 bits of tf32 does not count
            ra[r] |= kind == 2 ? bits_of(x) | (generator() & 0x1fff) : (kind == 0 ? bits_of(x) >> 16 : half(x)) << (i % 2 * 16);
        }
        for (int i = 0; i < (kind == 2 ? 2 : 4); i++) {
            float x = number();
            Place at = kind == 2 ? b_tf32(lane, i) : b16(lane, i);
            b[at.row][at.column] = x;
            size_t r = static_cast<size_t>(lane * 2 + (kind == 2 ? i : i / 2));
            rb[r] |= kind == 2 ? bits_of(x) | (generator() & 0x1fff) : (kind == 0 ? bits_of(x) >> 16 : half(x)) << (i % 2 * 16);
        }
        for (int i = 0; i < 4; i++) {
            float x = number();
            Place at = sums(lane, i);
            c[at.row][at.column] = x;
            rc[static_cast<size_t>(lane * 4 + i)] = x;
        }
    }
    CUdeviceptr dc = d.upload(rc);
    OK(d.launch("fragment_product", 1, 32, d.upload(ra), d.upload(rb), dc, kind));
    std::vector<float> got = d.download<float>(dc, 128);
    for (int lane = 0; lane < 32; lane++) {
        for (int i = 0; i < 4; i++) {
            Place at = sums(lane, i);
            double sum = c[at.row][at.column], magnitude = std::abs(sum);
            for (int k = 0; k < depth; k++) {
                sum += a[at.row][k] * b[k][at.column];
                magnitude += std::abs(a[at.row][k] * b[k][at.column]);
            }
            double error = std::abs(got[static_cast<size_t>(lane * 4 + i)] - sum);
            CHECK(whole ? error == 0 : error <= magnitude * depth * 0x1p-23);
        }
    }
}

void products(bool late) {
    for (int kind : {0, 1, 2}) {
        for (unsigned seed = 1; seed <= 4; seed++) {
            Device d(image, late);
            product(d, kind, seed % 2 == 0, seed);
        }
    }
}

/// "Each thread receives elements 2 (lane % 4) and 2 (lane % 4) + 1 of row lane / 4"; transposed: of column lane / 4.
void loads(bool late) {
    std::vector<uint16_t> x(32 * 8);
    for (size_t i = 0; i < x.size(); i++) {
        x[i] = static_cast<uint16_t>(i * 2654435761u >> 7);
    }
    for (int transposed : {0, 1}) {
        for (int count : {1, 2, 4}) {
            Device d(image, late);
            CUdeviceptr y = d.upload(std::vector<uint32_t>(128));
            OK(d.launch("fragment_load", 1, 32, d.upload(x), y, count, transposed));
            std::vector<uint32_t> got = d.download<uint32_t>(y, static_cast<size_t>(32 * count));
            for (int lane = 0; lane < 32; lane++) {
                for (int matrix = 0; matrix < count; matrix++) {
                    int line = lane / 4, pair = lane % 4 * 2;
                    auto element = [&](int i) {
                        int row = transposed ? i : line, column = transposed ? line : i;
                        return x[static_cast<size_t>((matrix * 8 + row) * 8 + column)];
                    };
                    uint32_t word = got[static_cast<size_t>(lane * count + matrix)];
                    CHECK((word & 0xffff) == element(pair) && word >> 16 == element(pair + 1));
                }
            }
        }
    }
}

void copies(bool late) {
    for (int bytes : {4, 8, 16}) {
        for (int waits : {1, 0}) {
            Device d(image, late);
            int tiles = 7, n = tiles * 32 * bytes;
            std::vector<char> x(static_cast<size_t>(n));
            for (size_t i = 0; i < x.size(); i++) {
                x[i] = static_cast<char>(i * 2654435761u >> 11);
            }
            CUdeviceptr y = d.upload(std::vector<char>(static_cast<size_t>(n), 1));
            OK(d.launch(("ring_" + std::to_string(bytes)).c_str(), 1, 32, d.upload(x), y, tiles, waits));
            std::vector<char> got = d.download<char>(y, x.size());
            bool same = true;
            for (int i = 0; i < n; i++) {
                size_t at = static_cast<size_t>(i);
                same &= got[at] == (i / bytes % 3 == 2 ? 0 : x[at]);
            }
            // what is read before the wait is there early, and not yet there late
            CHECK(same == (waits != 0 || !late));
        }
    }
}

}  // namespace

int main(int, char** arguments) {
    image = arguments[1];
    for (bool late : {false, true}) {
        const char* mode = late ? ", late" : ", eager";
        test(std::string("mma.sync") + mode, [&] { products(late); });
        test(std::string("ldmatrix") + mode, [&] { loads(late); });
        test(std::string("cp.async") + mode, [&] { copies(late); });
    }
    return summary();
}
