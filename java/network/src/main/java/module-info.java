/** Layers, training, regularization and explanation on top of the kernels. */
module io.quern.network {
    requires transitive io.quern.kernels;
    requires com.fasterxml.jackson.core;

    exports io.quern.data;
    exports io.quern.nn;
    exports io.quern.train;
    exports io.quern.regularize;
}
