package io.quern.backend;

import io.quern.tensor.QuernException;
import java.util.Optional;

/**
 * Decides whether Vector API kernels may be used, without touching a class of that API: on a JVM that does not compile
 * them to vector instructions they are a hundred times slower than plain loops.
 */
final class VectorProbe {
    static final String FLAG = "--add-modules jdk.incubator.vector";
    private static final String IMPLEMENTATION = "io.quern.backend.vector.VectorBackend";

    private VectorProbe() {}

    /** Why the kernels are not available, with the remedy; empty if they are. */
    static Optional<String> obstacle() {
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
            return Optional.of("the module jdk.incubator.vector is not loaded; start java with " + FLAG);
        }
        String compiler = System.getProperty("java.vm.name", "");
        if (!compiler.contains("HotSpot") && !compiler.contains("OpenJDK")) {
            return Optional.of("this JVM is " + compiler + "; vector code needs a HotSpot JVM");
        }
        if (System.getProperty("java.vm.info", "").contains("interpreted")) {
            return Optional.of("the JIT compiler is off; remove -Xint");
        }
        return Optional.empty();
    }

    /** Vector width in bits that the kernels use. */
    static int bits() {
        return (int) call("bits", new Class<?>[0]);
    }

    static Backend open(int threads) {
        return (Backend) call("open", new Class<?>[] {int.class}, threads);
    }

    private static Object call(String method, Class<?>[] types, Object... values) {
        try {
            return Class.forName(IMPLEMENTATION).getMethod(method, types).invoke(null, values);
        } catch (java.lang.reflect.InvocationTargetException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new QuernException("vector backend", e);
        } catch (ReflectiveOperationException e) {
            throw new QuernException("cannot load " + IMPLEMENTATION, e);
        }
    }
}
