// Rows of a table by number. Indices outside the table give NaN: a kernel cannot throw.
#include "device.cuh"

/// y (count, width) from table (rows, width).
QUERN_KERNEL(256, embedding_f32, const float* table, const int* indices, float* y, long long elements, long long rows,
             long long width) {
    const long long i = quern::global_index();
    if (i >= elements) {
        return;
    }
    const int row = indices[i / width];
    const bool known = row >= 0 && row < rows;
    y[i] = known ? table[row * width + i % width] : __uint_as_float(0x7fc00000u);
}

/// dtable (rows, width) from dy (count, width); one thread per element of dtable, in the order of the indices.
QUERN_KERNEL(256, embedding_backward_f32, const int* indices, const float* dy, float* dtable, long long elements,
             long long count, long long width) {
    const long long i = quern::global_index();
    if (i >= elements) {
        return;
    }
    const int row = static_cast<int>(i / width);
    const long long column = i % width;
    float sum = 0;
    for (long long k = 0; k < count; k++) {
        if (indices[k] == row) {
            sum += dy[k * width + column];
        }
    }
    dtable[i] = sum;
}
