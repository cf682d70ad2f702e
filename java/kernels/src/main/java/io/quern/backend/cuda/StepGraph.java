package io.quern.backend.cuda;

import io.quern.backend.ffi.DriverCall;
import io.quern.backend.ffi.DriverHandle;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The launches of a step as one executable graph of the driver. */
final class StepGraph implements AutoCloseable {
    /** Only this thread's calls are watched: data loaders do not touch the device. */
    private static final int THIS_THREAD = 1;

    private final CudaDevice device;
    private final int nodes;
    private DriverHandle.ExecutableGraph executable;

    private StepGraph(CudaDevice device, int nodes, DriverHandle.ExecutableGraph executable) {
        this.device = device;
        this.nodes = nodes;
        this.executable = executable;
    }

    /** Captures what the work launches; nothing is run. */
    static StepGraph capture(CudaDevice device, StepTrace trace, Runnable work) {
        device.call(DriverCall.CAPTURE_BEGIN, device.stream(), THIS_THREAD);
        DriverHandle.Graph graph;
        try {
            work.run();
        } catch (RuntimeException | Error e) {
            abandon(device);
            throw e;
        }
        graph = end(device);
        try {
            return new StepGraph(
                    device,
                    trace.size(),
                    device.create(DriverHandle.ExecutableGraph::new, DriverCall.GRAPH_INSTANTIATE, graph, 0L));
        } finally {
            device.release(DriverCall.GRAPH_DESTROY, graph);
        }
    }

    private static DriverHandle.Graph end(CudaDevice device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
            device.call(DriverCall.CAPTURE_END, device.stream(), out);
            return new DriverHandle.Graph(out.get(ValueLayout.JAVA_LONG, 0));
        }
    }

    private static void abandon(CudaDevice device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
            device.release(DriverCall.CAPTURE_END, device.stream(), out);
            long graph = out.get(ValueLayout.JAVA_LONG, 0);
            if (graph != 0) {
                device.release(DriverCall.GRAPH_DESTROY, new DriverHandle.Graph(graph));
            }
        }
    }

    /** Queues all of it. */
    void launch() {
        device.ready();
        device.log().begin("a captured step");
        device.log().addGraph(nodes);
        device.call(DriverCall.GRAPH_LAUNCH, executable, device.stream());
        device.log().end();
    }

    @Override
    public void close() {
        if (executable != null) {
            device.release(DriverCall.GRAPH_EXEC_DESTROY, executable);
            executable = null;
        }
    }
}
