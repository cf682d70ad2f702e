package io.quern.data;

import io.quern.tensor.ArgumentException;
import io.quern.tensor.Shape;
import java.util.List;

/** A table in memory: one number per cell, categories as their index; one-hot features are made when read. */
public final class CsvTable implements Dataset {
    private final CsvSchema schema;
    private final Shape shape;
    private final float[][] rows;
    private final int[] labels;
    private final int[] widths;
    private final int droppedRows;

    CsvTable(CsvSchema schema, float[][] rows, int[] labels, int droppedRows) {
        this.schema = schema;
        this.shape = Shape.of(schema.features());
        this.rows = rows;
        this.labels = labels;
        this.widths = schema.columns().stream()
                .mapToInt(column -> column.isNumeric() ? 0 : column.width())
                .toArray();
        this.droppedRows = droppedRows;
    }

    public CsvSchema schema() {
        return schema;
    }

    /** Lines left out because a value was missing. */
    public int droppedRows() {
        return droppedRows;
    }

    @Override
    public int size() {
        return rows.length;
    }

    @Override
    public Shape sampleShape() {
        return shape;
    }

    @Override
    public List<String> classNames() {
        return schema.classNames();
    }

    @Override
    public void read(int index, float[] destination, int offset) {
        if (index < 0 || index >= rows.length) {
            throw new ArgumentException("row " + index + " is outside a table of " + rows.length);
        }
        float[] row = rows[index];
        int next = offset;
        for (int column = 0; column < widths.length; column++) {
            if (widths[column] == 0) {
                destination[next++] = row[column];
            } else {
                for (int category = 0; category < widths[column]; category++) {
                    destination[next++] = category == (int) row[column] ? 1 : 0;
                }
            }
        }
    }

    @Override
    public int label(int index) {
        return labels[index];
    }
}
