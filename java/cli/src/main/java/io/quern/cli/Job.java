package io.quern.cli;

import io.quern.backend.Backend;
import io.quern.cli.run.RunConfig;
import io.quern.cli.run.RunFolder;
import io.quern.nn.Network;
import io.quern.train.TrainingOptions;

/** A training that is set up: where its results go, what learns, what computes and how. Owns nothing. */
record Job(RunFolder run, RunConfig config, Network network, Backend backend, TrainingOptions fit) {}
