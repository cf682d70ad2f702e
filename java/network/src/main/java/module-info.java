/** Data, layers, training, regularization and explanation on top of the kernels. */
module io.quern.network {
    requires transitive io.quern.kernels;
    requires com.fasterxml.jackson.core;
    requires de.siegmar.fastcsv;
    requires java.desktop;
    requires java.net.http;

    exports io.quern.data;
    exports io.quern.explain;
    exports io.quern.nn;
    exports io.quern.regularize;
    exports io.quern.train;
}
