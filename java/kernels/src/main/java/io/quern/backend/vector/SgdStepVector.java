package io.quern.backend.vector;

import static jdk.incubator.vector.VectorOperators.FMA;

import io.quern.backend.Kernel;
import io.quern.backend.WorkerPool;
import io.quern.op.SgdStep;
import jdk.incubator.vector.FloatVector;

/** One pass over all parameters: each value is read and written once. */
final class SgdStepVector implements Kernel<SgdStep.Args> {
    private final WorkerPool pool;

    SgdStepVector(WorkerPool pool) {
        this.pool = pool;
    }

    /** The scalars of a step, rounded once; keep is what weight decay leaves of a parameter. */
    private record Scalars(float rate, float keep, float momentum, float l2, float l1) {}

    @Override
    public boolean supports(SgdStep.Args args) {
        return ListRanges.flat(args.parameters())
                && ListRanges.flat(args.gradients())
                && ListRanges.flat(args.velocities());
    }

    @Override
    public void run(SgdStep.Args args) {
        long[] p = ListRanges.addresses(args.parameters());
        long[] g = ListRanges.addresses(args.gradients());
        long[] v = ListRanges.addresses(args.velocities());
        boolean nesterov = args.nesterov();
        Scalars scalars = new Scalars(
                (float) args.learningRate(),
                (float) (1 - args.learningRate() * args.weightDecay()),
                (float) args.momentum(),
                (float) args.l2(),
                (float) args.l1());
        ListRanges.run(pool, args.parameters(), (block, k, from, count) -> {
            long at = 4 * from;
            if (v.length == 0) {
                plain(p[k] + at, g[k] + at, count, scalars);
            } else {
                withMomentum(p[k] + at, g[k] + at, v[k] + at, count, nesterov, scalars);
            }
        });
    }

    private static void plain(long p, long g, int count, Scalars s) {
        int whole = Floats.whole(count);
        plainVectors(p, g, whole, s);
        if (whole < count) {
            TailCopy tail = new TailCopy(count - whole);
            long at = 4L * whole;
            plainVectors(tail.read(0, p + at), tail.read(1, g + at), Lanes.FLOATS, s);
            tail.write(0, p + at);
        }
    }

    private static void withMomentum(long p, long g, long v, int count, boolean nesterov, Scalars s) {
        int whole = Floats.whole(count);
        momentumVectors(p, g, v, whole, nesterov, s);
        if (whole < count) {
            TailCopy tail = new TailCopy(count - whole);
            long at = 4L * whole;
            momentumVectors(
                    tail.read(0, p + at), tail.read(1, g + at), tail.read(2, v + at), Lanes.FLOATS, nesterov, s);
            tail.write(0, p + at);
            tail.write(2, v + at);
        }
    }

    private static void plainVectors(long p, long g, int count, Scalars s) {
        float rate = -s.rate;
        float keep = s.keep;
        float l2 = s.l2;
        float l1 = s.l1;
        for (int i = 0; i < count; i += Lanes.FLOATS) {
            long at = 4L * i;
            FloatVector parameter = Floats.load(p + at);
            FloatVector gradient = Penalties.add(Floats.load(g + at), parameter, l2, l1);
            Floats.store(p + at, gradient.lanewise(FMA, rate, parameter.mul(keep)));
        }
    }

    private static void momentumVectors(long p, long g, long v, int count, boolean nesterov, Scalars s) {
        float rate = -s.rate;
        float keep = s.keep;
        float momentum = s.momentum;
        float l2 = s.l2;
        float l1 = s.l1;
        for (int i = 0; i < count; i += Lanes.FLOATS) {
            long at = 4L * i;
            FloatVector parameter = Floats.load(p + at);
            FloatVector gradient = Penalties.add(Floats.load(g + at), parameter, l2, l1);
            FloatVector velocity = Floats.load(v + at).lanewise(FMA, momentum, gradient);
            Floats.store(v + at, velocity);
            FloatVector direction = nesterov ? velocity.lanewise(FMA, momentum, gradient) : velocity;
            Floats.store(p + at, direction.lanewise(FMA, rate, parameter.mul(keep)));
        }
    }
}
