package io.quern.cli.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JsonTest {
    @Test
    void readsWhatItWrote() throws IOException {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("text", "ä \"quoted\"\n");
        map.put("list", Arrays.asList(1L, 0.5, true, null, List.of()));
        map.put("map", Map.of("a", -3L));
        assertEquals(map, Json.read(Json.line(map)));
        assertEquals(map, Json.read(Json.pretty(map)));
    }

    @Test
    void notANumberIsNull() {
        assertEquals("[null,null,1.5]", Json.line(List.of(Double.NaN, Double.POSITIVE_INFINITY, 1.5)));
    }

    @Test
    void refusesWhatIsNoJson() {
        for (String text : List.of("", "{", "{\"a\":1", "[1,]", "1 2", "nul")) {
            assertThrows(IOException.class, () -> Json.read(text), text);
        }
    }

    @Test
    void metricsSurviveTheFile() throws IOException {
        Metrics metrics = new Metrics(3, 0.5, 0.75, Double.NaN, Double.NaN, 1e-3, 1000, 2.5, Double.NaN);
        assertEquals(metrics, Metrics.of((Map<?, ?>) Json.read(metrics.json())));
        assertEquals("3,0.5000000,0.7500000,,,0.001000000,1000.000,2.500000,", metrics.csv());
    }
}
