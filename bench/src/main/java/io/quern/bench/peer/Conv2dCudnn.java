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
import io.quern.op.Precision;
import io.quern.tensor.DType;
import io.quern.tensor.Memory;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
 * The three passes of cuDNN on NHWC images in f32 without TF32, in TF32 or in bf16 with sums in f32, as the call asks, with the
 * fastest algorithm by its own measurement. Its filters are (K, R, S, C), a copy made before the clock runs; gradients of filters are brought back for the comparison.
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

    /** What copies of one convolution have in common: searched once, gone with the last of them. */
    private static final class Choice {
        private static final Map<Object, Choice> OPEN = new HashMap<>();

        private final Object what;
        private final cudnnContext handle = new cudnnContext();
        private int users;
        private Tensor workspace;
        private long bytes;
        private int algorithm;
        private int math;

        private Choice(Object what, CudaBackend backend) {
            this.what = what;
            check("cudnnCreate", cudnn.cudnnCreate(handle));
            check("cudnnSetStream", cudnn.cudnnSetStream(handle, CudaLibraries.stream(backend)));
        }

        static Choice use(Object what, CudaBackend backend) {
            Choice choice = OPEN.computeIfAbsent(what, key -> new Choice(key, backend));
            choice.users++;
            return choice;
        }

        void leave() {
            if (--users == 0) {
                OPEN.remove(what);
                cudnn.cudnnDestroy(handle);
                if (workspace != null) {
                    workspace.close();
                }
            }
        }
    }

    private final CudaBackend backend;
    private final Choice choice;
    private final cudnnContext handle;
    private final cudnnTensorStruct image = new cudnnTensorStruct();
    private final cudnnTensorStruct result = new cudnnTensorStruct();
    private final cudnnFilterStruct filters = new cudnnFilterStruct();
    private final cudnnConvolutionStruct convolution = new cudnnConvolutionStruct();
    private final FloatPointer one = new FloatPointer(1f);
    private final FloatPointer zero = new FloatPointer(0f);
    private final Tensor filter;
    private final Tensor own;
    /** No operand may be rounded on the way. */
    private final boolean exact;

    private Pass pass;

    private Conv2dCudnn(
            String name,
            Tensor x,
            Tensor filter,
            Tensor y,
            Conv2dGeometry g,
            Precision precision,
            CudaBackend backend) {
        CudaLibraries.load(cudnn.class);
        this.backend = backend;
        this.filter = filter;
        exact = filter.dtype() == DType.F32 && precision == Precision.FULL;
        choice = Choice.use(List.of(name, x.shape(), filter.shape(), g, filter.dtype(), precision), backend);
        handle = choice.handle;
        describe(image, x);
        describe(result, y);
        check("cudnnCreateFilterDescriptor", cudnn.cudnnCreateFilterDescriptor(filters));
        check(
                "cudnnSetFilter4dDescriptor",
                cudnn.cudnnSetFilter4dDescriptor(
                        filters,
                        type(filter),
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
        // the search tries this and the default, by which F32 may be rounded to TF32
        compute(exact ? cudnn.CUDNN_FMA_MATH : cudnn.CUDNN_TENSOR_OP_MATH);
        own = Tensor.allocate(
                backend.memory(),
                filter.dtype(),
                Shape.of(filter.size(3), filter.size(0), filter.size(1), filter.size(2)));
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
                        type(nhwc),
                        nhwc.dim(0),
                        nhwc.dim(3),
                        nhwc.dim(1),
                        nhwc.dim(2)));
    }

    private static int type(Tensor tensor) {
        return tensor.dtype() == DType.BF16 ? cudnn.CUDNN_DATA_BFLOAT16 : cudnn.CUDNN_DATA_FLOAT;
    }

    private void compute(int math) {
        check("cudnnSetConvolutionMathType", cudnn.cudnnSetConvolutionMathType(convolution, math));
    }

    static Contender forward(Conv2d.Args args, CudaBackend backend) {
        Conv2dCudnn c = new Conv2dCudnn(
                "forward", args.x(), args.filter(), args.y(), args.geometry(), args.precision(), backend);
        if (c.unsettled()) {
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
        Conv2dCudnn c = new Conv2dCudnn(
                "data", args.dx(), args.filter(), args.dy(), args.geometry(), args.precision(), backend);
        if (c.unsettled()) {
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
        Conv2dCudnn c = new Conv2dCudnn(
                "weights", args.x(), args.dfilter(), args.dy(), args.geometry(), args.precision(), backend);
        if (c.unsettled()) {
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

    /** Candidates come fastest first; those that round to TF32 on the way are no peers of exact products. */
    private void offer(int status, int math, int candidate, long memory) {
        boolean fits = !exact || math == cudnn.CUDNN_FMA_MATH;
        if (unsettled() && status == cudnn.CUDNN_STATUS_SUCCESS && fits) {
            choice.algorithm = candidate;
            choice.math = math;
            choice.bytes = memory;
            choice.workspace =
                    Tensor.allocate(backend.memory(), DType.I32, Shape.of(Math.max(1, Math.ceilDiv(memory, 4L))));
        }
    }

    private boolean unsettled() {
        return choice.workspace == null;
    }

    private Contender with(Pass chosen) {
        if (unsettled()) {
            close();
            throw new Unavailable("cudnn has no algorithm of this precision for this convolution", null);
        }
        compute(choice.math);
        pass = chosen;
        return this;
    }

    private static DevicePointer at(Tensor tensor) {
        return new DevicePointer(tensor.address());
    }

    @Override
    public void run() {
        check("cudnnConvolution", pass.run(choice.algorithm, at(choice.workspace), choice.bytes));
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
        own.close();
        choice.leave();
    }
}
