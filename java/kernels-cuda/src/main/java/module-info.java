/** The CUDA kernels, compiled for NVIDIA GPUs from compute capability 8.0 on. */
module io.quern.kernels.cuda {
    requires io.quern.kernels;

    provides io.quern.backend.CudaImages with
            io.quern.kernels.cuda.Fatbins;
}
