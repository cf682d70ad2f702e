package io.quern.bench.peer;

import io.quern.bench.Contender;
import io.quern.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;

/**
 * One oneDNN primitive, created once, with its memories: {@link #input} and {@link #output} say where the data is and in
 * which layout the primitive wants it; inputs in another layout are converted once, before timing, and results after.
 */
final class OneDnn implements Contender {
    static final engine CPU = new engine(engine.kind.cpu, 0);
    private static final stream STREAM = new stream(CPU);

    private record Conversion(memory from, memory to) {
        void run() {
            new reorder(from, to).execute(STREAM, from, to);
            STREAM._wait();
        }
    }

    private final Map<Integer, memory> arguments = new LinkedHashMap<>();
    private final Map<Integer, Conversion> results = new LinkedHashMap<>();
    private dnnl_exec_arg_t list;
    private primitive owner;
    private dnnl_primitive handle;
    private dnnl_stream queue;

    static memory.desc plain(long[] extents, long[] strides) {
        return new memory.desc(extents, memory.data_type.f32, strides);
    }

    static memory.desc plain(long[] extents, memory.format_tag tag) {
        return new memory.desc(extents, memory.data_type.f32, tag);
    }

    static memory.desc any(long... extents) {
        return new memory.desc(extents, memory.data_type.f32, memory.format_tag.any);
    }

    /** The tensor's memory, read as {@code stored}; if the primitive wants another layout, a copy in that. */
    OneDnn input(int argument, Tensor tensor, memory.desc stored, memory.desc wanted) {
        memory shared = new memory(stored, CPU, new NativeFloats(tensor));
        if (wanted.equals(stored)) {
            arguments.put(argument, shared);
        } else {
            memory own = new memory(wanted, CPU);
            new Conversion(shared, own).run();
            arguments.put(argument, own);
        }
        return this;
    }

    OneDnn output(int argument, Tensor tensor, memory.desc stored, memory.desc wanted) {
        memory shared = new memory(stored, CPU, new NativeFloats(tensor));
        if (wanted.equals(stored)) {
            arguments.put(argument, shared);
        } else {
            memory own = new memory(wanted, CPU);
            arguments.put(argument, own);
            results.put(argument, new Conversion(own, shared));
        }
        return this;
    }

    /** Memory between two primitives or of no interest to the result. */
    OneDnn scratch(int argument, memory.desc wanted) {
        arguments.put(argument, new memory(wanted, CPU));
        return this;
    }

    OneDnn of(primitive created) {
        owner = created;
        handle = created.get();
        queue = STREAM.get();
        list = new dnnl_exec_arg_t(arguments.size());
        int i = 0;
        for (Map.Entry<Integer, memory> entry : arguments.entrySet()) {
            list.getPointer(i++).arg(entry.getKey()).memory(entry.getValue().get());
        }
        return this;
    }

    /** The CPU engine computes during the call. */
    @Override
    public void run() {
        int status = dnnl.dnnl_primitive_execute(handle, queue, arguments.size(), list);
        if (status != 0) {
            throw new IllegalStateException("dnnl_primitive_execute: status " + status);
        }
    }

    @Override
    public void publish() {
        results.values().forEach(Conversion::run);
    }

    @Override
    public void close() {
        arguments.values().forEach(memory::close);
        results.values().forEach(conversion -> conversion.to.close());
        owner.close();
        list.close();
    }
}
