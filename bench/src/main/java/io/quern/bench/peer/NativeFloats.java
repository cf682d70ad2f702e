package io.quern.bench.peer;

import io.quern.tensor.Tensor;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/** A tensor's memory as a JavaCPP pointer, so that a peer works on the very same bytes. */
final class NativeFloats extends FloatPointer {
    NativeFloats(Tensor tensor) {
        super((Pointer) null);
        address = tensor.address();
        limit = tensor.elements();
        capacity = tensor.elements();
    }
}
