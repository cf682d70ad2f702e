package io.quern.bench.peer;

import org.bytedeco.pytorch.CompilationUnit;
import org.bytedeco.pytorch.Function;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** A function {@code f} in TorchScript, which reaches fused ops that the C++ API does not offer by name. */
final class LibtorchScript {
    private final CompilationUnit unit;
    private final Function function;
    private final IValue[] arguments;

    /** @param source the definition of f over tensors */
    LibtorchScript(String source, Tensor... arguments) {
        unit = torch.compile(source);
        function = unit.get_function(new QualifiedName("f"));
        this.arguments = new IValue[arguments.length];
        for (int i = 0; i < arguments.length; i++) {
            this.arguments[i] = new IValue(arguments[i]);
        }
    }

    /** Another tensor for one argument. */
    void set(int argument, Tensor tensor) {
        arguments[argument].close();
        arguments[argument] = new IValue(tensor);
    }

    /** f's result, a tensor. */
    Tensor call() {
        try (IValueVector stack = new IValueVector(arguments);
                IValue result = function.apply(stack)) {
            return new Tensor(result.toTensor());
        }
    }
}
