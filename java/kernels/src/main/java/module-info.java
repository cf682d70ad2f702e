/** Tensors, ops and the kernels that run them. No dependencies; the Vector API module is used when it is there. */
module io.quern.kernels {
    requires static jdk.incubator.vector;

    uses io.quern.backend.CudaImages;

    exports io.quern.tensor;
    exports io.quern.op;
    exports io.quern.backend;
}
