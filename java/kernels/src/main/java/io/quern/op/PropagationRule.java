package io.quern.op;

/** A rule of an explanation method for sending relevance through an op, for example LRP-epsilon or DeepLIFT-rescale. */
public interface PropagationRule {
    String name();
}
