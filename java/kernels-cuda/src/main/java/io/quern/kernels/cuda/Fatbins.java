package io.quern.kernels.cuda;

import io.quern.backend.CudaImages;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;

/** What {@code .mvn/build-native.sh fatbins} made, as resources of this jar: {@code quern_base.fatbin} and so on. */
public final class Fatbins implements CudaImages {
    /** For {@link java.util.ServiceLoader}. */
    public Fatbins() {}

    @Override
    public Optional<byte[]> module(String name) {
        String file = "quern_" + name + ".fatbin";
        try (InputStream in = Fatbins.class.getResourceAsStream(file)) {
            return in == null ? Optional.empty() : Optional.of(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + " in the jar quern-kernels-cuda", e);
        }
    }

    @Override
    public String description() {
        return "quern-kernels-cuda: compute capability 8.0 and later";
    }
}
