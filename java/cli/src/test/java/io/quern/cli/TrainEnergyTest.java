package io.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.quern.testing.Simulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Joules per epoch, on a simulated device that counts five millijoules per kernel, or none. */
class TrainEnergyTest {
    @TempDir
    Path folder;

    private Simulator simulator;

    @BeforeEach
    void require() {
        simulator = Simulator.require();
    }

    @AfterEach
    void reset() {
        if (simulator != null) {
            simulator.setEnergy(0);
            assertEquals(0, simulator.managementUsers());
        }
    }

    private Cli.Result train() {
        return Cli.run(
                "train",
                "--backend",
                "cuda-sim",
                "--model",
                "flatten dense(10)",
                "--limit",
                "160",
                "--epochs",
                "2",
                "--batch",
                "32",
                "--out",
                folder.resolve("run").toString());
    }

    @Test
    void joulesAreInTheLinesTheMetricsAndTheReport() throws IOException {
        simulator.setEnergy(5);
        long before = simulator.kernelsRun();
        Cli.Result result = train();
        double most = (simulator.kernelsRun() - before) * 5e-3;
        assertTrue(result.line("epoch 2/2").matches(".* [0-9.]+ J"), result.out());
        List<String> csv = Files.readAllLines(folder.resolve("run/metrics.csv"));
        assertTrue(csv.get(0).endsWith(",joules"), csv.get(0));
        double sum = csv.stream()
                .skip(1)
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(',') + 1)))
                .sum();
        assertTrue(sum > 0 && sum < most, sum + " J of " + most + ", the rest is validation and test");
        assertEquals(Math.rint(sum / 5e-3), sum / 5e-3, 1e-6, "whole kernels");
        assertTrue(result.line("energy ").matches("energy +[0-9.]+ J of the GPU in training, [0-9.]+ J per epoch"));
        assertTrue(Files.readString(folder.resolve("run/report.html")).contains("J per epoch"));
    }

    @Test
    void nothingIsSaidWhereNothingCounts() throws IOException {
        Cli.Result result = train();
        assertTrue(result.lines().stream().noneMatch(line -> line.startsWith("energy")), result.out());
        assertTrue(Files.readAllLines(folder.resolve("run/metrics.csv")).get(1).endsWith(","));
    }

    @Test
    void doctorHasALineForIt() {
        Cli.Result result = Cli.run("doctor");
        assertTrue(result.line("energy ").matches("energy +(not counted: .+|counted by NVML.*)"), result.out());
        assertTrue(result.line("  cuda-sim").contains("Quern simulated device (sm_90), "), result.out());
    }
}
