package io.quern.cli;

import io.quern.cli.report.Pictures;
import io.quern.data.Dataset;
import io.quern.data.SingleImages;
import io.quern.tensor.QuernException;
import io.quern.tensor.Shape;
import java.nio.file.Path;
import java.util.List;

/** Pictures of the user in the form that a trained network takes. */
final class PictureInput {
    private PictureInput() {}

    /** Values 0..1, not yet normalized; labels mean nothing. */
    static Dataset read(List<Path> files, TrainedRun trained) {
        Shape shape = trained.config().inputShape();
        if (!Pictures.showable(shape)) {
            throw new QuernException("the model of " + trained.folder().path() + " takes rows of " + shape
                    + " numbers, not images"
                    + (trained.config().facts().schema() == null
                            ? "; use 'quern evaluate' with data of that kind"
                            : "; use 'quern predict' with CSV files of its columns"));
        }
        return SingleImages.read(files, shape, trained.config().classNames());
    }
}
