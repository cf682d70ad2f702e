// The Hopper module's matrix products against plain loops in double, on shapes with edges.
#include "products.h"

namespace {

std::string image;

/// Of an operand {contiguous, other, batch} of bf16, with boxes of the given lines.
CUtensorMap map_of(CUdeviceptr address, int contiguous, int other, int batch, unsigned lines) {
    CUtensorMap map;
    uint64_t sizes[] = {static_cast<uint64_t>(contiguous), static_cast<uint64_t>(other), static_cast<uint64_t>(batch)};
    uint64_t strides[] = {sizes[0] * 2, sizes[0] * sizes[1] * 2};
    uint32_t box[] = {64, lines, 1}, steps[] = {1, 1, 1};
    OK(cuTensorMapEncodeTiled(&map, 9, 3, reinterpret_cast<void*>(address), sizes, strides, box, steps, 0, 3, 0, 0));
    return map;
}

void product(Device& d, bool narrow, unsigned columns, unsigned blocks, int m, int n, int k, int layout, int batch, int splits, float beta,
             unsigned threshold) {
    Product product(d, "bf16", narrow, m, n, k, layout, batch, splits, beta, threshold);
    std::string name = "matmul_" + product.layout() + "_bf16_" + std::to_string(columns);
    unsigned shared = columns == 256 ? 217152 : 217184;
    OK(cuFuncSetAttribute(d.function(name.c_str()), 8, static_cast<int>(shared)));
    CUtensorMap a = product.ta ? map_of(product.p.a, m, k, batch, 64) : map_of(product.p.a, k, m, batch, 128);
    CUtensorMap b = product.tb ? map_of(product.p.b, k, n, batch, columns) : map_of(product.p.b, n, k, batch, 64);
    OK(d.launch_shared(name.c_str(), blocks, 384, shared, a, b, product.p, product.rng, product.step));
    if (splits == 1) {
        product.verify();
        return;
    }
    // the parts alone, since the base module adds them
    size_t results = product.results;
    std::vector<float> parts = d.download<float>(product.p.partial, results * static_cast<size_t>(splits));
    bool good = true;
    for (size_t at = 0; at < results; at++) {
        double total = 0;
        for (size_t split = 0; split < static_cast<size_t>(splits); split++) {
            total += parts[split * results + at];
        }
        size_t row = at / static_cast<size_t>(n);
        double sum = product.sum(static_cast<int>(row) / m, static_cast<int>(row) % m, static_cast<int>(at) % n);
        good &= std::abs(total - sum) < product.allowed();
    }
    CHECK(good);
}

void matmul(int late) {
    Device d(image, late);
    for (unsigned columns : {128u, 256u}) {
        for (int layout = 0; layout < 4; layout++) {
            // one tile; edges everywhere; more k than slots; more tiles than blocks
            product(d, true, columns, 1, 128, 256, 64, layout, 1, 1, 0, 0);
            product(d, false, columns, 4, 136, 264, 72, layout, 1, 1, 0.25f, 20000);
            product(d, true, columns, 1, 8, 16, 600, layout, 1, 1, 0, 20000);
            product(d, true, columns, 2, 200, 520, 136, layout, 1, 1, 0, 0);
        }
        product(d, true, columns, 3, 72, 136, 200, 0, 3, 1, 0, 5000);
        product(d, false, columns, 5, 136, 40, 720, 2, 2, 4, 0, 0);
    }
    // columns that no 16-byte store fits
    product(d, false, 128, 2, 40, 67, 64, 2, 1, 1, 0.5f, 20000);
}

}  // namespace

int main(int, char** arguments) {
    image = arguments[1];
    const char* const modes[] = {", eager", ", late", ", mixed"};
    for (int late = 0; late < 3; late++) {
        test(std::string("Hopper matmul") + modes[late], [&] { matmul(late); });
    }
    return summary();
}
