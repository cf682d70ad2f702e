package io.quern.backend.cuda;

import io.quern.backend.Backend;
import io.quern.backend.EnergyMeter;
import io.quern.backend.KernelTable;
import io.quern.backend.ffi.CudaDriver;
import io.quern.backend.ffi.DriverCall;
import io.quern.op.Op;
import io.quern.op.OpArgs;
import io.quern.op.StepRepeater;
import io.quern.tensor.ArgumentException;
import io.quern.tensor.Memory;
import io.quern.tensor.QuernException;
import io.quern.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * Runs ops on a GPU, or on the simulator of one. Tensors live in its memory; ops are queued and run in order. An op that
 * has no kernel for a call is an error: nothing is ever computed elsewhere or copied behind the caller's back.
 */
public final class CudaBackend implements Backend {
    private static final System.Logger LOG = System.getLogger(CudaBackend.class.getName());
    /** Waits for each launch, so that a failing one is named. */
    private static final String WAIT = "quern.cuda.sync";
    /** Captures repeated steps as graphs, unless false. */
    private static final String GRAPHS = "quern.cuda.graphs";

    private final CudaPlatform platform;
    private final String name;
    private final CudaDevice device;
    private final DeviceMemory memory;
    private final KernelImages images;
    private final DeviceScratch scratch;
    private final StepValues stepValues;
    private final Launch launch;
    private final CudaKernels named;
    private final KernelTable kernels;
    private boolean closed;

    CudaBackend(CudaPlatform platform, CudaDriver driver, int ordinal) {
        this.platform = platform;
        this.name = platform.id();
        this.device = new CudaDevice(driver, ordinal);
        try {
            memory = new DeviceMemory(device, name);
            images = new KernelImages(device, platform);
        } catch (RuntimeException e) {
            device.close();
            throw e;
        }
        scratch = new DeviceScratch(memory);
        stepValues = new StepValues(memory);
        launch = new Launch(device, stepValues, Boolean.getBoolean(WAIT));
        named = new CudaKernels(images, device, launch, scratch);
        kernels = CudaTable.of(named);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String description() {
        return device.info().summary();
    }

    @Override
    public <A extends OpArgs> void run(Op<A> op, A args) {
        args.inputs().forEach(tensor -> requireHere(op, tensor));
        args.outputs().forEach(tensor -> requireHere(op, tensor));
        if (!kernels.covers(op, args)) {
            throw new QuernException(op.name() + " has no " + name + " kernel for " + args.outputs() + " from "
                    + args.inputs() + "; kernels take contiguous F32 and BF16. Run this model with --backend vector");
        }
        device.log().begin(op.name());
        kernels.run(op, args);
        device.log().end();
    }

    /**
     * Repeats steps as CUDA graphs; empty with {@code -Dquern.cuda.graphs=false}, and with {@code -Dquern.cuda.sync=true},
     * which has to launch op by op.
     */
    @Override
    public Optional<StepRepeater> repeater() {
        boolean graphs = Boolean.parseBoolean(System.getProperty(GRAPHS, "true")) && !Boolean.getBoolean(WAIT);
        return graphs ? Optional.of(new CudaStepRepeater(device, launch, scratch, stepValues)) : Optional.empty();
    }

    private void requireHere(Op<?> op, Tensor tensor) {
        if (tensor.memory() != memory) {
            throw new ArgumentException(op.name() + ": " + tensor + " is in "
                    + tensor.memory().name() + " memory, the " + name
                    + " backend works on its own; copy it there with copyTo(backend.memory())");
        }
    }

    /** True when this very call has a kernel. */
    public <A extends OpArgs> boolean covers(Op<A> op, A args) {
        return kernels.covers(op, args);
    }

    /** Waits for everything that was queued. */
    public void synchronize() {
        device.synchronize();
    }

    @Override
    public Optional<EnergyMeter> energy() {
        return NvmlEnergy.of(platform.management(), device);
    }

    /** A new timer of what is queued. */
    public DeviceTimer timer() {
        return new DeviceTimer(device);
    }

    /** What the device can do at most. */
    public DeviceRoof roof() {
        return new DeviceRoof(this, named, device.info().processors());
    }

    /** True when calls may run by the kernels for Hopper alone. */
    public boolean isHopper() {
        return images.hopper().isPresent();
    }

    /** True when launches may begin while the one before ends. */
    public boolean overlaps() {
        return images.base().mayOverlap();
    }

    /** The driver's handle of the stream on which everything runs, for libraries that shall join in. */
    public long stream() {
        return device.stream().value();
    }

    /** Bytes of the device's memory. */
    public long memoryBytes() {
        return device.info().memoryBytes();
    }

    /** Bytes of the L2 cache. */
    public long cacheBytes() {
        return device.info().cacheBytes();
    }

    /** The last launches, each as op (kernel, grid, block), separated by commas. */
    String launches() {
        return device.log().suspects();
    }

    /** Kernels launched so far, without those inside of graphs. */
    public long kernelLaunches() {
        return device.log().kernelLaunches();
    }

    /** Graphs launched so far: training steps that were one launch each. */
    public long graphLaunches() {
        return device.log().graphLaunches();
    }

    /** True when the device failed and cannot be used again by this process. */
    public boolean isLost() {
        return device.isLost();
    }

    @Override
    public List<Op<?>> withoutKernel() {
        return kernels.missing();
    }

    @Override
    public Memory memory() {
        return memory;
    }

    /** One: kernels are queued by the calling thread. */
    @Override
    public int threads() {
        return 1;
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        scratch.close();
        stepValues.close();
        if (memory.liveBlocks() > 0) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "backend {0} was closed before {1} blocks of its memory",
                    name,
                    memory.liveBlocks());
        }
        device.release(DriverCall.STREAM_SYNCHRONIZE, device.stream());
        memory.close();
        images.close();
        launch.close();
        device.close();
    }
}
