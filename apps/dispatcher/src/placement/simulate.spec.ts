import { describe, expect, it } from 'vitest';
import { plainJob, plainNode } from './plain.fixture.js';
import { type PlaceableNode } from './room.js';
import { type Grid, type SimulatedJob, simulate, type SimulatedRun } from './simulate.fixture.js';

const GIB = 1024 ** 3;
const MINUTE = 60_000;
const RESERVE_AFTER_MS = MINUTE;

const node = (id: string, changes: Partial<PlaceableNode> = {}): PlaceableNode => ({
  ...plainNode(id, { slots: 8, cpuMilli: 8000, memoryBytes: 32 * GIB, diskBytes: 100 * GIB }),
  ...changes,
});
const grid = (changes: Partial<Grid> = {}): Grid => ({
  nodes: [node('a'), node('b'), node('c', { slots: 4, cpuMilli: 4000, memoryBytes: 64 * GIB })],
  weights: { tenants: new Map(), submitters: new Map() },
  reserveAfterMs: RESERVE_AFTER_MS,
  halfLifeMs: 60 * MINUTE,
  tickMs: 1_000,
  watchesIdle: false,
  ...changes,
});
let count = 0;
const job = (changes: Partial<SimulatedJob> = {}): SimulatedJob => {
  const seq = count++;
  return {
    ...plainJob(`j${seq}`, { cpuMilli: 1000, memoryBytes: GIB, diskBytes: GIB }),
    ...{ seq, tenant: 'lab', submittedBy: 'ada', wallTimeS: 600, readyAtMs: changes.arrivesAtMs ?? 0 },
    ...{ arrivesAtMs: 0, runsForMs: 5 * MINUTE },
    ...changes,
  };
};

/** The same on every machine. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function cpuSeconds(
  runs: readonly SimulatedRun[],
  untilMs: number,
  whose: (job: SimulatedJob) => string,
): Map<string, number> {
  const had = new Map<string, number>();
  for (const { job: one, startedAtMs, endedAtMs } of runs) {
    const seconds = (Math.min(endedAtMs, untilMs) - startedAtMs) / 1000;
    had.set(whose(one), (had.get(whose(one)) ?? 0) + (seconds * one.cpuMilli) / 1000);
  }
  return had;
}

/** Within 5 % of what its weight is of all weights. */
function expectShares(had: ReadonlyMap<string, number>, weights: Readonly<Record<string, number>>): void {
  const all = [...had.values()].reduce((a, b) => a + b, 0);
  const weight = Object.values(weights).reduce((a, b) => a + b, 0);
  for (const [name, own] of Object.entries(weights)) {
    expect((had.get(name) ?? 0) / all / (own / weight), name).toBeGreaterThan(0.95);
    expect((had.get(name) ?? 0) / all / (own / weight), name).toBeLessThan(1.05);
  }
}

describe('a grid that is simulated', () => {
  it.each([1, 2, 3])('leaves nothing waiting beside resources that are free (seed %i)', (seed) => {
    const random = numbers(seed);
    const jobs = Array.from({ length: 250 }, () => {
      const wallTimeS = 30 + Math.floor(random() * 1200);
      return job({
        arrivesAtMs: Math.floor(random() * 20 * MINUTE),
        tenant: `t${Math.floor(random() * 4)}`,
        submittedBy: `s${Math.floor(random() * 3)}`,
        cpuMilli: [250, 1000, 2000, 8000][Math.floor(random() * 4)] ?? 1000,
        memoryBytes: [GIB, 4 * GIB, 60 * GIB][Math.floor(random() * 2.05)] ?? GIB,
        priority: Math.floor(random() * 3),
        wallTimeS,
        runsForMs: Math.floor((0.1 + 0.9 * random()) * wallTimeS * 1000),
      });
    })
      .map((one) => ({ ...one, readyAtMs: one.arrivesAtMs }))
      // One of 8 CPUs and 60 GiB fits on no node.
      .filter(({ cpuMilli, memoryBytes }) => cpuMilli < 8000 || memoryBytes < 60 * GIB);
    const { runs, idle } = simulate(grid({ watchesIdle: true, tickMs: 10_000 }), jobs);
    expect(runs).toHaveLength(jobs.length);
    expect(idle).toEqual([]);
  });

  it.each([1, 2])('starts a large job within the longest wall time that runs and its patience (seed %i)', (seed) => {
    const random = numbers(seed);
    const smallWall = 600;
    const small = Array.from({ length: 1200 }, (_, index) => {
      const arrivesAtMs = index * 1_500;
      const runsForMs = Math.floor((0.2 + 0.8 * random()) * smallWall * 1000);
      return job({ arrivesAtMs, readyAtMs: arrivesAtMs, wallTimeS: smallWall, runsForMs, tenant: `t${index % 2}` });
    });
    const largeAt = 20 * MINUTE;
    const large = job({
      tenant: 't0',
      arrivesAtMs: largeAt,
      readyAtMs: largeAt,
      cpuMilli: 8000,
      memoryBytes: 30 * GIB,
    });
    const { runs } = simulate(grid(), [...small, large], largeAt + 30 * MINUTE);
    const started = runs.find(({ job: one }) => one.jobId === large.jobId)?.startedAtMs ?? Infinity;
    // It looks once a second.
    expect(started - largeAt).toBeLessThanOrEqual(RESERVE_AFTER_MS + smallWall * 1000 + 1_000);
  });

  it('lets only jobs pass that end before the node is free for the large one', () => {
    const filler = Array.from({ length: 8 }, () => job({ wallTimeS: 1200, runsForMs: 20 * MINUTE }));
    const large = job({ cpuMilli: 8000, arrivesAtMs: 1, readyAtMs: 1 });
    const one = node('a', { slots: 16, cpuMilli: 12_000 });
    const at = 5 * MINUTE;
    const short = job({ arrivesAtMs: at, readyAtMs: at, wallTimeS: 600, runsForMs: 10 * MINUTE });
    const long = job({ arrivesAtMs: at, readyAtMs: at, wallTimeS: 3600, runsForMs: 60 * MINUTE });
    const { runs } = simulate(grid({ nodes: [one] }), [...filler, large, short, long]);
    const startOf = (wanted: SimulatedJob) => runs.find(({ job: each }) => each.jobId === wanted.jobId)?.startedAtMs;
    expect(startOf(short)).toBe(at);
    expect(startOf(large)).toBe(20 * MINUTE);
    expect(startOf(long)).toBe(20 * MINUTE);
  });

  it('gives tenants CPU-seconds by their weights, and submitters within one, however long their jobs are', () => {
    const until = 4 * 60 * MINUTE;
    const random = numbers(7);
    const backlog = (tenant: string, submittedBy: string, many: number, changes: () => Partial<SimulatedJob>) =>
      Array.from({ length: many }, () => job({ tenant, submittedBy, ...changes() }));
    const jobs = [
      ...backlog('large', 'ada', 2000, () => ({ runsForMs: Math.floor((1 + 4 * random()) * MINUTE) })),
      ...backlog('small', 'bob', 1500, () => ({ runsForMs: Math.floor((2 + 6 * random()) * MINUTE), wallTimeS: 480 })),
      ...backlog('small', 'eve', 4000, () => ({ runsForMs: Math.floor((0.2 + random()) * MINUTE), priority: 0 })),
      ...backlog('wide', 'joe', 1500, () => ({ cpuMilli: 2000, runsForMs: Math.floor((1 + 2 * random()) * MINUTE) })),
    ];
    const weights = {
      tenants: new Map([
        ['large', 3],
        ['small', 2],
      ]),
      submitters: new Map([['eve', 3]]),
    };
    const { runs } = simulate(grid({ weights, tickMs: MINUTE }), jobs, until);
    expectShares(
      cpuSeconds(runs, until, ({ tenant }) => tenant),
      { large: 3, small: 2, wide: 1 },
    );
    const ofSmall = runs.filter(({ job: { tenant } }) => tenant === 'small');
    expectShares(
      cpuSeconds(ofSmall, until, ({ submittedBy }) => submittedBy),
      { bob: 1, eve: 3 },
    );
  });

  it('lets a tenant that comes late go soon, whatever lies before it', () => {
    const first = Array.from({ length: 500 }, () => job({ tenant: 'first', runsForMs: MINUTE }));
    const at = 10 * MINUTE;
    const late = Array.from({ length: 3 }, () => job({ tenant: 'late', arrivesAtMs: at, readyAtMs: at }));
    const { runs } = simulate(grid(), [...first, ...late]);
    const starts = runs.filter(({ job: one }) => one.tenant === 'late').map(({ startedAtMs }) => startedAtMs - at);
    expect(starts).toHaveLength(3);
    for (const waited of starts) expect(waited).toBeLessThanOrEqual(MINUTE);
  });
});
