package io.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A wrong command line is told on one line, with exit code 2, before anything is done. */
class WrongUsageTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "``                                      | Missing command",
                "trian                                   | did you mean train?",
                "train --epoch 3                         | did you mean --epochs?",
                "train --data stroke                     | unknown data 'stroke'",
                "train --data idx:                       | names no file or directory",
                "train --data strokes,trian=3            | strokes has no option 'trian'",
                "train --model alexnet                   | known models are cnn, lenet, mlp, resnet20",
                "train --model conv(8,3)_rleu            | position 11",
                "train --model flatten_dens(10)          | did you mean 'dense'?",
                "train --model dense(10                  | is not closed",
                "train --model mlp --dropout 1           | --dropout is 1.0",
                "train --optimizer adam                  | known are sgd, adamw",
                "train --schedule linear                 | known are constant, step, cosine, one-cycle",
                "train --lr fast                         | 'fast' is not a double",
                "train --lr 0                            | --lr is 0.0, expected a positive number",
                "train --epochs 0                        | --epochs is 0",
                "train --batch 0                         | --batch is 0",
                "train --momentum 1                      | --momentum is 1.0",
                "train --limit -1                        | --limit is -1",
                "train --validation 1                    | --validation is 1.0",
                "train --label-smoothing 1               | --label-smoothing is 1.0",
                "train --weight-decay -1                 | --weight-decay is -1.0",
                "train --l1 NaN                          | --l1 is NaN",
                "train --l2 -1                           | --l2 is -1.0",
                "train --clip -1                         | --clip is -1.0",
                "train --early-stopping 3 --validation 0 | --validation is 0",
                "train --data csv:x.csv --augment        | --augment is for images",
                "train --checkpoint-every 3m             | 500, or seconds such as 60s",
                "train --threads 0                       | --threads is 0",
                "train --backend cuda9                   | unknown backend 'cuda9'",
                "train --resume                          | name its folder",
                "evaluate                                | 'RUN'",
                "evaluate x --data stroke                | unknown data 'stroke'",
                "predict x                               | 'IMAGE'",
                "explain x y.png --method lime           | known are integrated-gradients, saliency",
                "explain x y.png --baseline white        | known are black, mean",
                "explain x y.png --steps 0               | --steps is 0",
            })
    void isOneLine(String commandLine, String piece) {
        Object[] args = commandLine.isEmpty()
                ? new Object[0]
                : java.util.Arrays.stream(commandLine.split(" +"))
                        .map(word -> word.replace('_', ' '))
                        .toArray();
        Cli.Result result = Cli.run(args);
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().startsWith("quern: "), result.err());
        assertTrue(result.err().contains(piece), result.err());
        assertEquals("", result.out());
        assertEquals(ExitCode.USAGE, result.code());
    }
}
