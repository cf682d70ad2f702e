package io.quern.data;

import io.quern.tensor.DType;
import io.quern.tensor.QuernException;
import io.quern.tensor.Shape;
import io.quern.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * The batches of one epoch, loaded ahead by a thread of their own. Used by one thread; close it at any time, also in the
 * middle of the epoch.
 */
public final class Batches implements AutoCloseable {
    private static final Object STOP = new Object();

    private final Loader loader;
    private final int epoch;
    private final int[] order;
    private final int end;
    /** Buffers that may be filled, or STOP. */
    private final BlockingQueue<Object> free;
    /** Filled buffers in order, or the Throwable that ended loading. */
    private final BlockingQueue<Object> ready;

    private final List<Buffer> buffers = new ArrayList<>();
    /** What samples are read into on their way to a buffer; of the loading thread. As long as the batch. */
    private float[] values = {};

    private final Thread thread;
    private volatile boolean closed;
    private int next;
    private Buffer inUse;
    private Throwable failure;

    Batches(Loader loader, int epoch, int firstBatch) {
        this.loader = loader;
        this.epoch = epoch;
        this.order = loader.order(epoch);
        this.next = firstBatch;
        this.end = loader.batchesPerEpoch();
        int count = Math.clamp(end - firstBatch, 0, loader.buffers());
        free = new ArrayBlockingQueue<>(loader.buffers() + 1);
        ready = new ArrayBlockingQueue<>(loader.buffers() + 1);
        try {
            for (int i = 0; i < count; i++) {
                Buffer buffer = new Buffer(loader);
                buffers.add(buffer);
                free.add(buffer);
            }
        } catch (RuntimeException e) {
            buffers.forEach(Buffer::close);
            throw e;
        }
        thread = Thread.ofPlatform().daemon().name("quern-loader").unstarted(() -> load(firstBatch));
        if (count > 0) {
            thread.start();
        }
    }

    /** The next batch, or null at the end of the epoch. Ends the use of the batch before. A failure to load comes here. */
    public Batch next() {
        if (closed) {
            throw new QuernException("the batches of epoch " + epoch + " were used after close");
        }
        if (inUse != null) {
            free.add(inUse);
            inUse = null;
        }
        if (failure == null && next < end) {
            Object result = take();
            if (result instanceof Buffer buffer) {
                inUse = buffer;
                next++;
                return buffer.batch;
            }
            failure = (Throwable) result;
        }
        switch (failure) {
            case null -> {
                return null;
            }
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new QuernException("loading batch " + next + " of epoch " + epoch + " failed", e);
        }
    }

    private Object take() {
        try {
            return ready.take();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QuernException("interrupted while waiting for batch " + next + " of epoch " + epoch, e);
        }
    }

    private void load(int firstBatch) {
        try {
            for (int index = firstBatch; index < end; index++) {
                if (!(free.take() instanceof Buffer buffer) || !fill(buffer, index)) {
                    return;
                }
                ready.add(buffer);
            }
        } catch (Throwable e) {
            ready.add(e);
        }
    }

    /** False when loading was ended meanwhile. */
    private boolean fill(Buffer buffer, int index) {
        int from = index * loader.batchSize();
        int[] samples = Arrays.copyOfRange(order, from, Math.min(order.length, from + loader.batchSize()));
        int length = loader.dataset().sampleLength();
        if (values.length != samples.length * length) {
            values = new float[Math.multiplyExact(samples.length, length)];
        }
        int[] labels = new int[samples.length];
        for (int i = 0; i < samples.length; i++) {
            if (closed) {
                return false;
            }
            loader.read(epoch, samples[i], values, i * length);
            labels[i] = loader.dataset().label(samples[i]);
        }
        buffer.batch = new Batch(
                epoch,
                index,
                samples,
                buffer.inputs.slice(0, 0, samples.length).copyFrom(values),
                buffer.labels.slice(0, 0, samples.length).copyFrom(labels));
        return true;
    }

    /** Stops loading and frees the tensors of all batches. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        free.add(STOP);
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                // the tensors can be freed only when nobody writes to them
                interrupted = true;
            }
        }
        buffers.forEach(Buffer::close);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** The tensors of a full batch. */
    private static final class Buffer {
        private final Tensor inputs;
        private final Tensor labels;
        private Batch batch;

        Buffer(Loader loader) {
            int size = Math.min(loader.batchSize(), loader.dataset().size());
            Shape sample = loader.dataset().sampleShape();
            inputs = Tensor.allocate(DType.F32, sample.prepend(size));
            labels = Tensor.allocate(DType.I32, Shape.of(size));
        }

        void close() {
            inputs.close();
            labels.close();
        }
    }
}
