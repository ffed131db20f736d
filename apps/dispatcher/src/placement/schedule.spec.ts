import { describe, expect, it } from 'vitest';
import { FairShare, type Weights } from './fair-share.js';
import { plainJob, plainNode } from './plain.fixture.js';
import { type Held, type PlaceableNode, type Reservation, Room } from './room.js';
import { type Candidate, type Lane, schedule } from './schedule.js';
import { lackingEverywhere, type Share } from './share.js';

const GIB = 1024 ** 3;
const SMALL: Share = { cpuMilli: 1000, memoryBytes: GIB, diskBytes: GIB };
const LARGE: Share = { cpuMilli: 4000, memoryBytes: 4 * GIB, diskBytes: 4 * GIB };
const RESERVE_AFTER_MS = 60_000;
const NO_WEIGHTS: Weights = { tenants: new Map(), submitters: new Map() };

/** Four slots of one small job each. */
const node = (id: string, changes: Partial<PlaceableNode> = {}): PlaceableNode => ({
  ...plainNode(id, { slots: 4, ...LARGE }),
  offeredMonitorings: ['none', 'syscalls', 'files'],
  ...changes,
});
const job = (jobId: string, changes: Partial<Candidate> = {}): Candidate => ({ ...plainJob(jobId, SMALL), ...changes });
const jobs = (count: number, changes: Partial<Candidate> = {}) =>
  Array.from({ length: count }, (_, index) => job(`j${index}`, { seq: index, ...changes }));
const copies = (count: number, share: Share = SMALL, endsAtMs = 1_000_000): Held[] =>
  Array.from({ length: count }, () => ({ ...share, endsAtMs }));
/** All in one lane. */
const lane = (candidates: readonly Candidate[], changes: Partial<Lane> = {}): Lane => ({
  ...{ id: 'lane', tenant: 'lab', submittedBy: 'ada' },
  candidates,
  ...changes,
});

function scheduleOn(
  lanes: readonly Lane[],
  nodes: readonly PlaceableNode[],
  { nowMs = 0, reservations = [] as readonly Reservation[], weights = NO_WEIGHTS } = {},
) {
  const standing = new FairShare(3_600_000, nowMs).standing([], weights);
  const rooms = nodes.map((one) => new Room(one, nowMs));
  return schedule(lanes, rooms, standing, { nowMs, reserveAfterMs: RESERVE_AFTER_MS, reservations });
}
const placeOn = (candidates: readonly Candidate[], ...nodes: PlaceableNode[]) =>
  scheduleOn([lane(candidates)], nodes).placements.map(({ jobId, nodeId }) => `${jobId}@${nodeId}`);

describe('placing jobs', () => {
  it('spreads them over the nodes, the one used least first', () => {
    const nodes = [node('a', { running: copies(2) }), node('b'), node('c', { placed: copies(1) })];
    expect(placeOn(jobs(6), ...nodes)).toEqual(['j0@b', 'j1@b', 'j2@c', 'j3@a', 'j4@b', 'j5@c']);
  });

  it('sends one whose outputs are staged on a node there alone, though it was its last one and is used more', () => {
    const bound = job('bound', { boundNodeId: 'a', lastNodeId: 'a' });
    expect(placeOn([bound], node('a', { running: copies(3) }), node('b'))).toEqual(['bound@a']);
    expect(placeOn([bound], node('a', { running: copies(4) }), node('b'))).toEqual([]);
  });

  it('sends those that name secrets to nodes that open them alone, and others anywhere', () => {
    const [plain, naming] = [job('plain', { seq: 1 }), job('naming', { namesSecrets: true })];
    expect(placeOn([naming, plain], node('a'), node('b', { opensSecrets: true, running: copies(3) }))).toEqual([
      'naming@b',
      'plain@a',
    ]);
    // Of equal size, what stops the one does not stop the other.
    expect(placeOn([naming, plain], node('a'))).toEqual(['plain@a']);
  });

  it('fills the slots and sends nothing ahead where jobs are long', () => {
    expect(placeOn(jobs(9), node('a'))).toHaveLength(4);
    expect(placeOn(jobs(9), node('a', { running: copies(3), placed: copies(1) }))).toEqual([]);
  });

  it('sends one ahead for each job that lately ended, at most one a slot', () => {
    const full = { running: copies(4) };
    expect(placeOn(jobs(9), node('a', { ...full, turnover: 1 }))).toEqual(['j0@a']);
    expect(placeOn(jobs(9), node('a', { ...full, turnover: 99 }))).toHaveLength(4);
    expect(placeOn(jobs(9), node('a', { ...full, turnover: 99, placed: copies(3) }))).toHaveLength(1);
  });

  it('prefers a node where the job starts at once to one where it would wait', () => {
    expect(placeOn(jobs(1), node('a', { running: copies(4), turnover: 4 }), node('b', { running: copies(3) }))).toEqual(
      ['j0@b'],
    );
  });

  it('never promises more CPU, memory or disk than there is', () => {
    for (const kind of ['cpuMilli', 'memoryBytes', 'diskBytes'] as const) {
      const half = node('a')[kind] / 2;
      expect(placeOn(jobs(4, { [kind]: half }), node('a'))).toHaveLength(2);
    }
  });

  it('looks at the architecture, at the monitoring that it needs, and at nodes that it cannot run on', () => {
    const arm = job('j', { architecture: 'aarch64' });
    expect(placeOn([arm], node('a'), node('arm', { architecture: 'aarch64' }))).toEqual(['j@arm']);
    const recorded = job('j', { monitoring: 'files' });
    const without = node('a', { offeredMonitorings: ['none'] });
    expect(placeOn([recorded], without, node('b', { running: copies(3) }))).toEqual(['j@b']);
    expect(placeOn([recorded], without)).toEqual([]);
    expect(
      placeOn([job('j', { nodeFailures: [{ nodeId: 'a', atMs: 1 }] })], node('a'), node('b', { running: copies(3) })),
    ).toEqual(['j@b']);
    expect(placeOn([job('j', { nodeFailures: [{ nodeId: 'a', atMs: 1 }] })], node('a'))).toEqual([]);
  });

  it('sends nothing to a node that is suspect', () => {
    expect(placeOn(jobs(1), node('a', { closedBy: 'suspect' }))).toEqual([]);
  });

  it('sends a job back to a node that failed it only after a probe of that, and where no other one could run it', () => {
    const failed = job('j', { nodeFailures: [{ nodeId: 'a', atMs: 1 }] });
    const proved = node('a', { provedAtMs: 2 });
    expect(placeOn([failed], proved)).toEqual(['j@a']);
    expect(placeOn([failed], proved, node('b', { running: copies(3) }))).toEqual(['j@b']);
    expect(placeOn([failed], proved, node('b', { running: copies(4) }))).toEqual([]);
    expect(placeOn([failed], proved, node('b', { closedBy: 'suspect' }))).toEqual(['j@a']);
  });

  it('sends jobs of an application that a node failed elsewhere, where there is another node, and others as before', () => {
    const avoiding = node('a', { avoidedBy: ['app'] });
    const other = job('o', { seq: 1, applicationId: 'other' });
    expect(placeOn([...jobs(2), other], avoiding, node('b', { running: copies(2) }))).toEqual(['j0@b', 'j1@b', 'o@a']);
    expect(placeOn(jobs(2), avoiding)).toEqual(['j0@a', 'j1@a']);
    expect(placeOn(jobs(1), avoiding, node('b', { avoidedBy: ['app'], running: copies(1) }))).toEqual(['j0@a']);
  });

  it('prefers a node that has the image', () => {
    expect(placeOn([job('j', { imageNodeIds: ['b'] })], node('a'), node('b', { running: copies(3) }))).toEqual(['j@b']);
    expect(placeOn([job('j', { imageNodeIds: ['b'] })], node('a'), node('b', { running: copies(4) }))).toEqual(['j@a']);
  });

  it('gives the large one to the node that has room, and passes over it where none has', () => {
    const large = job('large', LARGE);
    expect(placeOn([large], node('a', { running: copies(1) }), node('b'))).toEqual(['large@b']);
    expect(placeOn([large, ...jobs(2)], node('a', { running: copies(2) }))).toEqual(['j0@a', 'j1@a']);
    expect(placeOn([job('huge', { cpuMilli: 9000, readyAtMs: -1e9 }), ...jobs(2)], node('a'))).toHaveLength(2);
  });

  it('puts nothing behind a message that waits for room: a worker serves in order', () => {
    expect(placeOn(jobs(2), node('a', { running: copies(1), placed: copies(1, LARGE) }))).toEqual([]);
  });

  it('prefers another node than the last one', () => {
    expect(placeOn(jobs(1, { lastNodeId: 'a' }), node('a'), node('b', { running: copies(3) }))).toEqual(['j0@b']);
    expect(placeOn(jobs(1, { lastNodeId: 'a' }), node('a'))).toEqual(['j0@a']);
  });

  it('tries a hesitant node with one job at a time, and only where no other has room', () => {
    const hesitant = node('a', { hesitant: true, turnover: 4 });
    expect(placeOn(jobs(9), hesitant)).toEqual(['j0@a']);
    expect(placeOn(jobs(9), { ...hesitant, placed: copies(1) })).toEqual([]);
    expect(placeOn(jobs(2), hesitant, node('b', { running: copies(2) }))).toEqual(['j0@b', 'j1@b']);
  });
});

describe('a reservation', () => {
  const overdue = job('large', { ...LARGE, readyAtMs: -RESERVE_AFTER_MS });
  const busy = [node('a', { running: copies(3, SMALL, 50_000) }), node('b', { running: copies(2, SMALL, 90_000) })];

  it('is made after a time, of the node that frees the soonest; all others are filled', () => {
    const { placements, reservations } = scheduleOn([lane([overdue, ...jobs(4)])], busy);
    expect(reservations).toEqual([{ jobId: 'large', nodeId: 'a', freeAtMs: 50_000 }]);
    expect(placements.map(({ nodeId }) => nodeId)).toEqual(['b', 'b']);
    expect(scheduleOn([lane([{ ...overdue, readyAtMs: -RESERVE_AFTER_MS + 1 }])], busy).reservations).toEqual([]);
  });

  it('lets others pass whose wall time ends before the node is free', () => {
    const short = job('short', { wallTimeS: 50 });
    const long = job('long', { wallTimeS: 51 });
    const full = node('b', { running: copies(4) });
    const [a] = busy;
    const made = scheduleOn([lane([overdue, long, short])], [a ?? full, full]);
    expect(made.placements.map(({ jobId }) => jobId)).toEqual(['short']);
  });

  it('stays with its node, leaves one node to others, and goes with its job', () => {
    const second = job('second', { ...LARGE, readyAtMs: -RESERVE_AFTER_MS });
    const { reservations } = scheduleOn([lane([overdue, second])], busy);
    expect(reservations).toHaveLength(1);
    // Node b frees sooner now.
    const later = [node('a', { running: copies(3, SMALL, 50_000) }), node('b', { running: copies(1, SMALL, 20_000) })];
    expect(scheduleOn([lane([overdue])], later, { nowMs: 10_000, reservations }).reservations).toEqual(reservations);
    expect(scheduleOn([lane(jobs(1))], later, { reservations }).reservations).toEqual([]);
    const free = [node('a'), node('b', { running: copies(1) })];
    expect(scheduleOn([lane([overdue])], free, { reservations })).toEqual({
      placements: [{ laneId: 'lane', jobId: 'large', nodeId: 'a' }],
      reservations: [],
    });
  });
});

describe('a reserved node that is free at last', () => {
  const node1 = node('a');
  const reservations = [{ jobId: 'mine', nodeId: 'a', freeAtMs: -1 }];
  const large = (jobId: string, changes: Partial<Candidate> = {}) =>
    job(jobId, { ...LARGE, readyAtMs: -1e6, ...changes });

  it('goes to the job that reserved it, whoever comes before it with the same wishes', () => {
    const before = lane([large('before', { priority: 10 })], { id: 'before' });
    const mine = lane([large('mine')], { id: 'mine' });
    expect(scheduleOn([before, mine], [node1], { reservations }).placements).toEqual([
      { laneId: 'mine', jobId: 'mine', nodeId: 'a' },
    ]);
  });

  it('is reserved also where a tenant that has had nothing waits for a node that is not there', () => {
    const elsewhere = lane([job('arm', { architecture: 'aarch64' })], {
      id: 'arm',
      tenant: 'idle',
      submittedBy: 'eve',
    });
    const waiting = lane([large('large')]);
    const busy = [node('a', { running: copies(4, SMALL, 50_000) })];
    const shares = new FairShare(3_600_000, 0, [{ tenant: 'lab', submittedBy: 'ada', cpuSeconds: 1e6 }]);
    const rooms = busy.map((one) => new Room(one, 0));
    const terms = { nowMs: 0, reserveAfterMs: RESERVE_AFTER_MS, reservations: [] };
    const made = schedule([elsewhere, waiting], rooms, shares.standing([], NO_WEIGHTS), terms);
    expect(made.reservations).toMatchObject([{ jobId: 'large', nodeId: 'a' }]);
  });
});

describe('whose job is next', () => {
  const tenants = (...names: string[]) =>
    names.map((tenant) =>
      lane(
        jobs(9).map((one) => ({ ...one, jobId: `${tenant}-${one.jobId}` })),
        { id: tenant, tenant },
      ),
    );
  const taken = (lanes: readonly Lane[], weights?: Weights) =>
    scheduleOn(lanes, [node('a')], weights && { weights }).placements.map(({ laneId }) => laneId);

  it('is that of the tenant that has had the least for its weight', () => {
    expect(taken(tenants('x', 'y'))).toEqual(['x', 'y', 'x', 'y']);
    expect(taken(tenants('x', 'y'), { tenants: new Map([['y', 3]]), submitters: new Map() })).toEqual([
      'x',
      'y',
      'y',
      'y',
    ]);
  });

  it('is the most urgent of the tenant, and no other tenant waits for it', () => {
    const [x, y] = tenants('x', 'y');
    const urgent = lane(jobs(9, { priority: 100 }), { id: 'urgent', tenant: 'y', submittedBy: 'bob' });
    expect(taken([x, y, urgent].flatMap((one) => one ?? []))).toEqual(['x', 'urgent', 'x', 'urgent']);
  });

  it('is that of the submitter who has had the least, then the oldest', () => {
    const of = (id: string, submittedBy: string, seq: number) =>
      lane([job(`${id}1`, { seq }), job(`${id}2`, { seq: seq + 1 })], { id, submittedBy });
    expect(taken([of('ada', 'ada', 5), of('bob', 'bob', 9)])).toEqual(['ada', 'bob', 'ada', 'bob']);
    expect(taken([of('late', 'ada', 5), of('early', 'ada', 1)])).toEqual(['early', 'early', 'late', 'late']);
  });
});

describe('a job that is too large', () => {
  it('lacks what no node has', () => {
    const nodes = [node('a'), node('b', { memoryBytes: 64 * GIB, cpuMilli: 1000 })];
    expect(lackingEverywhere({ ...SMALL, memoryBytes: 60 * GIB }, nodes)).toBeUndefined();
    expect(lackingEverywhere({ ...SMALL, diskBytes: 60 * GIB }, nodes)).toBe('diskBytes');
    expect(lackingEverywhere({ ...SMALL, memoryBytes: 60 * GIB, cpuMilli: 2000 }, nodes)).toBe('cpuMilli');
  });
});
