package io.quern.cli.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;

/** Pieces of HTML pages that need nothing but themselves: no script, no network, pictures as data. */
final class Html {
    private Html() {}

    /** A whole page. */
    static String page(String title, String body) {
        return """
                <!DOCTYPE html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <title>%s</title>
                <style>
                %s</style>
                </head>
                <body>
                <main>
                %s</main>
                </body>
                </html>
                """.formatted(escape(title), style(), body);
    }

    private static String style() {
        try (InputStream css = Html.class.getResourceAsStream("report.css")) {
            return new String(css.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Text as it is, whatever characters it has. */
    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    /** A titled block. */
    static String section(String title, String body) {
        return "<section>\n<h2>" + escape(title) + "</h2>\n" + body + "</section>\n";
    }

    /** A number that stands out. */
    static String fact(String value, String name) {
        return "<div class=\"fact\"><b>" + escape(value) + "</b><span>" + escape(name) + "</span></div>\n";
    }

    /** Names and values in two columns. */
    static String table(Map<String, String> rows) {
        StringBuilder html = new StringBuilder("<table class=\"lines\">\n");
        rows.forEach((name, value) -> html.append("<tr><th scope=\"row\">")
                .append(escape(name))
                .append("</th><td>")
                .append(escape(value))
                .append("</td></tr>\n"));
        return html.append("</table>\n").toString();
    }

    static String percent(double share) {
        return Double.isNaN(share) ? "-" : String.format(Locale.ROOT, "%.2f %%", 100 * share);
    }

    static String number(String format, double value) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, format, value);
    }
}
