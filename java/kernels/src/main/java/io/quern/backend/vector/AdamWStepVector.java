package io.quern.backend.vector;

import static jdk.incubator.vector.VectorOperators.FMA;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.AdamWStep;
import jdk.incubator.vector.FloatVector;

/** One pass over all parameters: four streams are read, three of them written. */
final class AdamWStepVector implements Kernel<AdamWStep.Args> {
    private final WorkerPool pool;

    AdamWStepVector(WorkerPool pool) {
        this.pool = pool;
    }

    /** The scalars of a step, rounded once; keep is what weight decay leaves of a parameter, rest is 1 - beta. */
    private record Scalars(
            float rate,
            float keep,
            float beta1,
            float rest1,
            float beta2,
            float rest2,
            float root,
            float epsilon,
            float l2,
            float l1) {
        static Scalars of(AdamWStep.Args args) {
            return new Scalars(
                    (float) args.correctedRate(),
                    (float) (1 - args.learningRate() * args.weightDecay()),
                    (float) args.beta1(),
                    (float) (1 - args.beta1()),
                    (float) args.beta2(),
                    (float) (1 - args.beta2()),
                    (float) Math.sqrt(args.correction()),
                    (float) args.epsilon(),
                    (float) args.l2(),
                    (float) args.l1());
        }
    }

    @Override
    public boolean supports(AdamWStep.Args args) {
        return ListRanges.flat(args.parameters())
                && ListRanges.flat(args.gradients())
                && ListRanges.flat(args.m())
                && ListRanges.flat(args.v());
    }

    @Override
    public void run(AdamWStep.Args args) {
        long[] p = ListRanges.addresses(args.parameters());
        long[] g = ListRanges.addresses(args.gradients());
        long[] m = ListRanges.addresses(args.m());
        long[] v = ListRanges.addresses(args.v());
        Scalars scalars = Scalars.of(args);
        ListRanges.run(pool, args.parameters(), (block, k, from, count) -> {
            long at = 4 * from;
            step(p[k] + at, g[k] + at, m[k] + at, v[k] + at, count, scalars);
        });
    }

    private static void step(long p, long g, long m, long v, int count, Scalars s) {
        int whole = Floats.whole(count);
        vectors(p, g, m, v, whole, s);
        if (whole < count) {
            TailCopy tail = new TailCopy(count - whole);
            long at = 4L * whole;
            vectors(
                    tail.read(0, p + at),
                    tail.read(1, g + at),
                    tail.read(2, m + at),
                    tail.read(3, v + at),
                    Lanes.FLOATS,
                    s);
            tail.write(0, p + at);
            tail.write(2, m + at);
            tail.write(3, v + at);
        }
    }

    private static void vectors(long p, long g, long m, long v, int count, Scalars s) {
        float rate = -s.rate;
        float keep = s.keep;
        float beta1 = s.beta1;
        float rest1 = s.rest1;
        float beta2 = s.beta2;
        float rest2 = s.rest2;
        float root = s.root;
        float epsilon = s.epsilon;
        float l2 = s.l2;
        float l1 = s.l1;
        for (int i = 0; i < count; i += Lanes.FLOATS) {
            long at = 4L * i;
            FloatVector parameter = Floats.load(p + at);
            FloatVector gradient = Penalties.add(Floats.load(g + at), parameter, l2, l1);
            FloatVector mean = gradient.lanewise(FMA, rest1, Floats.load(m + at).mul(beta1));
            FloatVector square = gradient.mul(rest2).fma(gradient, Floats.load(v + at).mul(beta2));
            Floats.store(m + at, mean);
            Floats.store(v + at, square);
            FloatVector step = mean.div(square.sqrt().lanewise(FMA, root, Floats.all(epsilon)));
            Floats.store(p + at, step.lanewise(FMA, rate, parameter.mul(keep)));
        }
    }
}
