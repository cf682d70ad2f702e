package io.quern.cli;

import io.quern.backend.Backend;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a run ran on, for config.json and the report. */
final class Environment {
    private Environment() {}

    static Map<String, String> of(Backend backend) {
        Map<String, String> environment = new LinkedHashMap<>();
        environment.put("quern", Versions.quern());
        environment.put("backend", backend.name() + ", " + backend.description());
        environment.put("threads", Integer.toString(backend.threads()));
        environment.put("java", Versions.java());
        environment.put("machine", Versions.machine());
        return environment;
    }
}
