/** The command line: train, evaluate, predict, explain, doctor. */
module io.quern.cli {
    requires io.quern.network;
    requires com.fasterxml.jackson.core;
    requires info.picocli;
    requires java.desktop;
    requires jdk.management;
    requires org.knowm.xchart;

    opens io.quern.cli to
            info.picocli;
}
