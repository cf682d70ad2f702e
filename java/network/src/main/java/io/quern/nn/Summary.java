package io.quern.nn;

import io.quern.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The table that describes a network to people. */
final class Summary {
    private Summary() {}

    static String of(Network network) {
        List<String[]> rows = new ArrayList<>();
        rows.add(new String[] {"", "layer", "output", "parameters"});
        rows.add(new String[] {"", "input", network.inputShape().toString(), ""});
        Shape shape = network.inputShape();
        int number = 0;
        for (Layer layer : network.model().layers()) {
            ParameterScope scope = new ParameterScope();
            layer.build(shape, scope);
            shape = layer.outputShape(shape);
            long count = scope.parameters().stream()
                    .filter(Parameter::trained)
                    .mapToLong(p -> p.shape().elements())
                    .sum();
            rows.add(new String[] {
                Integer.toString(++number), layer.describe(), shape.toString(), count == 0 ? "" : grouped(count)
            });
        }
        rows.add(new String[] {"", "total", "", grouped(network.parameterCount())});
        return table(rows);
    }

    private static String grouped(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }

    /** First and last column flush right, the others flush left. */
    private static String table(List<String[]> rows) {
        int[] widths = new int[4];
        for (String[] row : rows) {
            for (int i = 0; i < 4; i++) {
                widths[i] = Math.max(widths[i], row[i].length());
            }
        }
        String format =
                "%" + Math.max(1, widths[0]) + "s  %-" + widths[1] + "s  %-" + widths[2] + "s  %" + widths[3] + "s%n";
        StringBuilder text = new StringBuilder();
        rows.forEach(row ->
                text.append(String.format(Locale.ROOT, format, (Object[]) row).replaceAll("\\s+$", "\n")));
        return text.toString();
    }
}
