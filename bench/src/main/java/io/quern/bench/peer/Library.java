package io.quern.bench.peer;

import io.quern.bench.Unavailable;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.mkl.global.mkl_rt;
import org.bytedeco.openblas.global.openblas;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** The native libraries behind the peers: loaded on first use, all with the same number of threads. */
public enum Library {
    /** Plain Java, always there. */
    NONE {
        @Override
        void load() {}

        @Override
        void threads(int count) {}
    },
    OPENBLAS {
        @Override
        void load() {
            Loader.load(openblas.class);
            FloatPointer one = new FloatPointer(1f);
            openblas.cblas_sgemm(
                    openblas.CblasRowMajor, 111, 111, 1, 1, 1, 1, one, 1, one, 1, 0, new FloatPointer(1), 1);
        }

        @Override
        void threads(int count) {
            openblas.blas_set_num_threads(count);
        }
    },
    /**
     * Its libraries are global in the process and would answer the calls of BLAS that others have not made yet: loaded
     * after them. On GNU OpenMP like the others, so that one process has one pool of threads.
     */
    MKL {
        @Override
        void load() {
            if (Boolean.getBoolean("quern.bench.keep")) {
                OPENBLAS.missing();
                LIBTORCH.missing();
            }
            if (ONEDNN.missing() == null) {
                FunctionDescriptor open =
                        FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
                int nowAndGlobal = 0x102;
                call("libc.so.6", "dlopen", open, Arena.global().allocateFrom("libgomp.so.1"), nowAndGlobal);
            }
            Loader.load(mkl_rt.class);
            mkl_rt.MKL_Set_Threading_Layer(mkl_rt.MKL_THREADING_GNU);
        }

        @Override
        void threads(int count) {
            mkl_rt.MKL_Set_Dynamic(0);
            mkl_rt.MKL_Set_Num_Threads(count);
        }
    },
    ONEDNN {
        @Override
        void load() {
            Loader.load(dnnl.class);
        }

        @Override
        void threads(int count) {
            openMp(count);
        }
    },
    /** In a module of its own, bench/dl4j, and found by name. */
    DL4J {
        @Override
        void load() {
            try {
                Class.forName("io.quern.bench.dl4j.TrainStepDl4j");
            } catch (ClassNotFoundException e) {
                throw new NoClassDefFoundError(e.getMessage());
            }
        }

        @Override
        void threads(int count) {}
    },
    LIBTORCH {
        @Override
        void load() {
            Loader.load(torch.class);
            try (Tensor a = torch.ones(2, 2);
                    Tensor b = torch.ones(2)) {
                torch.mm(a, a).close();
                torch.mv(a, b).close();
            }
        }

        @Override
        void threads(int count) {
            openblas.blas_set_num_threads(count);
            torch.set_num_threads(count);
        }
    };

    private boolean tried;
    private String missing;

    abstract void load();

    abstract void threads(int count);

    /** Why the library is not there, or null. */
    public synchronized String missing() {
        if (!tried) {
            tried = true;
            try {
                load();
            } catch (LinkageError | RuntimeException e) {
                missing = name().toLowerCase() + " cannot be loaded (" + e
                        + "); its natives come with ./mvnw -Ppeers package, see bench/README.md";
            }
        }
        return missing;
    }

    /** Loads if need be; thread counts are properties of the calling thread, so this precedes every use. */
    public void use(int threads) {
        if (missing() != null) {
            throw new Unavailable(missing(), null);
        }
        threads(threads);
    }

    /** GNU OpenMP keeps the number in the calling thread. */
    private static void openMp(int count) {
        call("libgomp.so.1", "omp_set_num_threads", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT), count);
    }

    @SuppressWarnings("restricted")
    private static void call(String library, String function, FunctionDescriptor type, Object... arguments) {
        try (Arena arena = Arena.ofConfined()) {
            MethodHandle handle = Linker.nativeLinker()
                    .downcallHandle(
                            SymbolLookup.libraryLookup(library, arena)
                                    .find(function)
                                    .orElseThrow(),
                            type);
            handle.invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new IllegalStateException(function + " of " + library + ": " + e, e);
        }
    }
}
