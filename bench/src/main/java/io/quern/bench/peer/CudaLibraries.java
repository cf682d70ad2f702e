package io.quern.bench.peer;

import io.quern.backend.cuda.CudaBackend;
import io.quern.bench.Contender;
import io.quern.bench.Contest.OpCall;
import io.quern.bench.Unavailable;
import io.quern.op.Conv2d;
import io.quern.op.Conv2dBackwardData;
import io.quern.op.Conv2dBackwardWeights;
import io.quern.op.Matmul;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;

/** NVIDIA's own libraries, through the JavaCPP presets: on our memory, on our stream, in f32 without TF32. */
public final class CudaLibraries {
    private CudaLibraries() {}

    /** The library's entry for a call whose tensors are on the device. */
    public static Contender contender(String library, OpCall<?> call, CudaBackend backend) {
        return switch (library) {
            case "cublas" -> new MatmulCublas((Matmul.Args) expect(library, call, Matmul.Args.class), backend);
            case "cudnn" ->
                switch (call.args()) {
                    case Conv2d.Args args -> Conv2dCudnn.forward(args, backend);
                    case Conv2dBackwardData.Args args -> Conv2dCudnn.backwardData(args, backend);
                    case Conv2dBackwardWeights.Args args -> Conv2dCudnn.backwardWeights(args, backend);
                    default -> throw new Unavailable("cudnn is a peer of Conv2dBench alone", null);
                };
            default ->
                throw new IllegalArgumentException("impl is " + library + ", expected quern-cuda, cublas or cudnn");
        };
    }

    private static Object expect(String library, OpCall<?> call, Class<?> type) {
        if (!type.isInstance(call.args())) {
            throw new Unavailable(library + " is a peer of MatmulBench alone", null);
        }
        return call.args();
    }

    /** Loads the JNI part of a preset, and with it the library. */
    static void load(Class<?> preset) {
        try {
            Loader.load(preset);
        } catch (LinkageError e) {
            throw new Unavailable(
                    preset.getSimpleName() + " cannot be loaded (" + e
                            + "); it needs ./mvnw -Pgpu-peers -DskipTests package and the libraries of a CUDA 13 toolkit or"
                            + " of PyTorch's packages on LD_LIBRARY_PATH, see bench/README.md",
                    e);
        }
    }

    static void check(String call, int status) {
        if (status != 0) {
            throw new Unavailable(call + " failed with status " + status, null);
        }
    }

    /** Device memory at an address. */
    static final class DevicePointer extends Pointer {
        DevicePointer(long where) {
            super((Pointer) null);
            address = where;
        }
    }

    static CUstream_st stream(CudaBackend backend) {
        return new CUstream_st(new DevicePointer(backend.stream()));
    }
}
