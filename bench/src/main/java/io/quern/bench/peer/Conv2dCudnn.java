package io.quern.bench.peer;

import static io.quern.bench.peer.CudaLibraries.check;

import io.quern.backend.cuda.CudaBackend;
import io.quern.bench.Contender;
import io.quern.bench.Unavailable;
import io.quern.bench.peer.CudaLibraries.DevicePointer;
import io.quern.op.Conv2d;
import io.quern.op.Conv2dBackwardData;
import io.quern.op.Conv2dBackwardWeights;
import io.quern.op.Conv2dGeometry;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import org.bytedeco.cuda.cudnn.cudnnContext;
import org.bytedeco.cuda.cudnn.cudnnConvolutionBwdDataAlgoPerf_t;
import org.bytedeco.cuda.cudnn.cudnnConvolutionBwdFilterAlgoPerf_t;
import org.bytedeco.cuda.cudnn.cudnnConvolutionFwdAlgoPerf_t;
import org.bytedeco.cuda.cudnn.cudnnConvolutionStruct;
import org.bytedeco.cuda.cudnn.cudnnFilterStruct;
import org.bytedeco.cuda.cudnn.cudnnTensorStruct;
import org.bytedeco.cuda.global.cudnn;
import org.bytedeco.javacpp.FloatPointer;

/**
 * The three passes of cuDNN on NHWC images in f32 without TF32, with the fastest algorithm by its own measurement. Its
 * filters are (K, R, S, C), a copy made before the clock runs; gradients of filters are brought back for the comparison.
 *
 * <p>By the calls of cuDNN 7, which cuDNN 9 still has but calls deprecated in favour of graphs of operations.
 */
@SuppressWarnings("deprecation")
final class Conv2dCudnn implements Contender {
    private static final int MOST_ALGORITHMS = 16;

    /** Queues the pass with the chosen algorithm and its workspace. */
    private interface Pass {
        int run(int algorithm, DevicePointer workspace, long bytes);
    }

    private final CudaBackend backend;
    private final cudnnContext handle = new cudnnContext();
    private final cudnnTensorStruct image = new cudnnTensorStruct();
    private final cudnnTensorStruct result = new cudnnTensorStruct();
    private final cudnnFilterStruct filters = new cudnnFilterStruct();
    private final cudnnConvolutionStruct convolution = new cudnnConvolutionStruct();
    private final FloatPointer one = new FloatPointer(1f);
    private final FloatPointer zero = new FloatPointer(0f);
    private final Tensor filter;
    private final Tensor own;
    private Tensor workspace;
    private int algorithm;
    private long bytes;
    private Pass pass;

    private Conv2dCudnn(Tensor x, Tensor filter, Tensor y, Conv2dGeometry g, CudaBackend backend) {
        CudaLibraries.load(cudnn.class);
        this.backend = backend;
        this.filter = filter;
        check("cudnnCreate", cudnn.cudnnCreate(handle));
        check("cudnnSetStream", cudnn.cudnnSetStream(handle, CudaLibraries.stream(backend)));
        describe(image, x);
        describe(result, y);
        check("cudnnCreateFilterDescriptor", cudnn.cudnnCreateFilterDescriptor(filters));
        check(
                "cudnnSetFilter4dDescriptor",
                cudnn.cudnnSetFilter4dDescriptor(
                        filters,
                        cudnn.CUDNN_DATA_FLOAT,
                        cudnn.CUDNN_TENSOR_NHWC,
                        filter.dim(3),
                        filter.dim(2),
                        filter.dim(0),
                        filter.dim(1)));
        check("cudnnCreateConvolutionDescriptor", cudnn.cudnnCreateConvolutionDescriptor(convolution));
        check(
                "cudnnSetConvolution2dDescriptor",
                cudnn.cudnnSetConvolution2dDescriptor(
                        convolution,
                        g.paddingH(),
                        g.paddingW(),
                        g.strideH(),
                        g.strideW(),
                        g.dilationH(),
                        g.dilationW(),
                        cudnn.CUDNN_CROSS_CORRELATION,
                        cudnn.CUDNN_DATA_FLOAT));
        check("cudnnSetConvolutionGroupCount", cudnn.cudnnSetConvolutionGroupCount(convolution, g.groups()));
        check("cudnnSetConvolutionMathType", cudnn.cudnnSetConvolutionMathType(convolution, cudnn.CUDNN_FMA_MATH));
        own = Tensor.allocate(
                backend.memory(), DType.F32, Shape.of(filter.size(3), filter.size(0), filter.size(1), filter.size(2)));
        try (Tensor host = filter.copyTo(Memory.host());
                Tensor turned = host.permute(3, 0, 1, 2).copyTo(Memory.host())) {
            own.copyFrom(turned);
        }
    }

    private static void describe(cudnnTensorStruct descriptor, Tensor nhwc) {
        check("cudnnCreateTensorDescriptor", cudnn.cudnnCreateTensorDescriptor(descriptor));
        check(
                "cudnnSetTensor4dDescriptor",
                cudnn.cudnnSetTensor4dDescriptor(
                        descriptor,
                        cudnn.CUDNN_TENSOR_NHWC,
                        cudnn.CUDNN_DATA_FLOAT,
                        nhwc.dim(0),
                        nhwc.dim(3),
                        nhwc.dim(1),
                        nhwc.dim(2)));
    }

    static Contender forward(Conv2d.Args args, CudaBackend backend) {
        Conv2dCudnn c = new Conv2dCudnn(args.x(), args.filter(), args.y(), args.geometry(), backend);
        try (var found = new cudnnConvolutionFwdAlgoPerf_t(MOST_ALGORITHMS)) {
            int[] count = new int[1];
            check(
                    "cudnnFindConvolutionForwardAlgorithm",
                    cudnn.cudnnFindConvolutionForwardAlgorithm(
                            c.handle, c.image, c.filters, c.convolution, c.result, MOST_ALGORITHMS, count, found));
            for (int i = 0; i < count[0]; i++) {
                var candidate = found.position(i);
                c.offer(candidate.status(), candidate.mathType(), candidate.algo(), candidate.memory());
            }
        }
        return c.with((algorithm, workspace, bytes) -> cudnn.cudnnConvolutionForward(
                c.handle,
                c.one,
                c.image,
                at(args.x()),
                c.filters,
                at(c.own),
                c.convolution,
                algorithm,
                workspace,
                bytes,
                c.zero,
                c.result,
                at(args.y())));
    }

    static Contender backwardData(Conv2dBackwardData.Args args, CudaBackend backend) {
        Conv2dCudnn c = new Conv2dCudnn(args.dx(), args.filter(), args.dy(), args.geometry(), backend);
        try (var found = new cudnnConvolutionBwdDataAlgoPerf_t(MOST_ALGORITHMS)) {
            int[] count = new int[1];
            check(
                    "cudnnFindConvolutionBackwardDataAlgorithm",
                    cudnn.cudnnFindConvolutionBackwardDataAlgorithm(
                            c.handle, c.filters, c.result, c.convolution, c.image, MOST_ALGORITHMS, count, found));
            for (int i = 0; i < count[0]; i++) {
                var candidate = found.position(i);
                c.offer(candidate.status(), candidate.mathType(), candidate.algo(), candidate.memory());
            }
        }
        return c.with((algorithm, workspace, bytes) -> cudnn.cudnnConvolutionBackwardData(
                c.handle,
                c.one,
                c.filters,
                at(c.own),
                c.result,
                at(args.dy()),
                c.convolution,
                algorithm,
                workspace,
                bytes,
                c.zero,
                c.image,
                at(args.dx())));
    }

    static Contender backwardWeights(Conv2dBackwardWeights.Args args, CudaBackend backend) {
        Conv2dCudnn c = new Conv2dCudnn(args.x(), args.dfilter(), args.dy(), args.geometry(), backend);
        try (var found = new cudnnConvolutionBwdFilterAlgoPerf_t(MOST_ALGORITHMS)) {
            int[] count = new int[1];
            check(
                    "cudnnFindConvolutionBackwardFilterAlgorithm",
                    cudnn.cudnnFindConvolutionBackwardFilterAlgorithm(
                            c.handle, c.image, c.result, c.convolution, c.filters, MOST_ALGORITHMS, count, found));
            for (int i = 0; i < count[0]; i++) {
                var candidate = found.position(i);
                c.offer(candidate.status(), candidate.mathType(), candidate.algo(), candidate.memory());
            }
        }
        return c.with((algorithm, workspace, bytes) -> cudnn.cudnnConvolutionBackwardFilter(
                c.handle,
                c.one,
                c.image,
                at(args.x()),
                c.result,
                at(args.dy()),
                c.convolution,
                algorithm,
                workspace,
                bytes,
                c.zero,
                c.filters,
                at(c.own)));
    }

    /** Candidates come fastest first; those that round to TF32 on the way are no peers. */
    private void offer(int status, int math, int candidate, long memory) {
        if (workspace == null && status == cudnn.CUDNN_STATUS_SUCCESS && math == cudnn.CUDNN_FMA_MATH) {
            algorithm = candidate;
            bytes = memory;
            workspace = Tensor.allocate(backend.memory(), DType.I32, Shape.of(Math.max(1, Math.ceilDiv(memory, 4L))));
        }
    }

    private Contender with(Pass chosen) {
        if (workspace == null) {
            close();
            throw new Unavailable("cudnn has no algorithm in true f32 for this convolution", null);
        }
        pass = chosen;
        return this;
    }

    private static DevicePointer at(Tensor tensor) {
        return new DevicePointer(tensor.address());
    }

    @Override
    public void run() {
        check("cudnnConvolution", pass.run(algorithm, at(workspace), bytes));
    }

    @Override
    public void publish() {
        try (Tensor turned = own.copyTo(Memory.host());
                Tensor host = turned.permute(1, 2, 3, 0).copyTo(Memory.host())) {
            filter.copyFrom(host);
        }
    }

    @Override
    public void close() {
        cudnn.cudnnDestroy(handle);
        own.close();
        if (workspace != null) {
            workspace.close();
        }
    }
}
