import { describe, expect, it } from 'vitest';
import { type Candidate, lackingEverywhere, place } from './place.js';
import { type PlaceableNode, Room, type Share } from './room.js';

const GIB = 1024 ** 3;
const SMALL: Share = { cpuMilli: 1000, memoryBytes: GIB, diskBytes: GIB };
const LARGE: Share = { cpuMilli: 4000, memoryBytes: 4 * GIB, diskBytes: GIB };

/** Four slots of one small job each. */
const node = (id: string, changes: Partial<PlaceableNode> = {}): PlaceableNode => ({
  id,
  architecture: 'x86_64',
  slots: 4,
  cpuMilli: 4000,
  memoryBytes: 4 * GIB,
  diskBytes: 4 * GIB,
  turnover: 0,
  suspect: false,
  running: [],
  placed: [],
  ...changes,
});
const job = (jobId: string, changes: Partial<Candidate> = {}): Candidate => ({
  jobId,
  architecture: 'x86_64',
  lastNodeId: null,
  boundNodeId: null,
  overdue: false,
  ...SMALL,
  ...changes,
});
const jobs = (count: number, changes: Partial<Candidate> = {}) =>
  Array.from({ length: count }, (_, index) => job(`j${index}`, changes));
const copies = (count: number, share: Share = SMALL) => Array.from({ length: count }, () => share);
const placeOn = (candidates: readonly Candidate[], ...nodes: PlaceableNode[]) =>
  place(
    candidates,
    nodes.map((one) => new Room(one)),
  ).map(({ jobId, nodeId }) => `${jobId}@${nodeId}`);

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

  it('looks at the architecture', () => {
    expect(placeOn(jobs(1, { architecture: 'aarch64' }), node('a'), node('arm', { architecture: 'aarch64' }))).toEqual([
      'j0@arm',
    ]);
  });

  it('gives the large one to the node that has room, and passes over it where none has', () => {
    const large = job('large', LARGE);
    expect(placeOn([large], node('a', { running: copies(1) }), node('b'))).toEqual(['large@b']);
    expect(placeOn([large, ...jobs(2)], node('a', { running: copies(2) }))).toEqual(['j0@a', 'j1@a']);
    expect(placeOn([job('huge', { cpuMilli: 9000, overdue: true }), ...jobs(2)], node('a'))).toHaveLength(2);
  });

  it('keeps one node free for a large job that waits too long, and fills the others', () => {
    const overdue = job('large', { ...LARGE, overdue: true });
    const nodes = [node('a', { running: copies(3) }), node('b', { running: copies(2) })];
    expect(placeOn([overdue, ...jobs(4)], ...nodes)).toEqual(['j0@a']);
    const second = job('second', { ...LARGE, overdue: true });
    expect(placeOn([overdue, second, ...jobs(4)], ...nodes)).toEqual(['j0@a']);
  });

  it('puts nothing behind a message that waits for room: a worker serves in order', () => {
    expect(placeOn(jobs(2), node('a', { running: copies(1), placed: [LARGE] }))).toEqual([]);
  });

  it('prefers another node than the last one', () => {
    expect(placeOn(jobs(1, { lastNodeId: 'a' }), node('a'), node('b', { running: copies(3) }))).toEqual(['j0@b']);
    expect(placeOn(jobs(1, { lastNodeId: 'a' }), node('a'))).toEqual(['j0@a']);
  });

  it('tries a suspect node with one job at a time, and only where no other has room', () => {
    const suspect = node('a', { suspect: true, turnover: 4 });
    expect(placeOn(jobs(9), suspect)).toEqual(['j0@a']);
    expect(placeOn(jobs(9), { ...suspect, placed: copies(1) })).toEqual([]);
    expect(placeOn(jobs(2), suspect, node('b', { running: copies(2) }))).toEqual(['j0@b', 'j1@b']);
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

describe('a grid that is simulated', () => {
  /** Runs jobs of one second and upwards, a second a round, until all are placed; returns when each was. */
  function simulate(
    nodes: readonly PlaceableNode[],
    queue: readonly (Candidate & { seconds: number })[],
    overdueAfter: number,
  ) {
    let waiting = [...queue];
    let running: { nodeId: string; share: Candidate; until: number }[] = [];
    const placedAt = new Map<string, number>();
    for (let now = 0; waiting.length > 0; now++) {
      if (now > 10_000) throw new Error(`never placed: ${waiting.map(({ jobId }) => jobId).join(', ')}`);
      running = running.filter(({ until }) => until > now);
      const rooms = nodes.map(
        (one) =>
          new Room({ ...one, running: running.filter(({ nodeId }) => nodeId === one.id).map(({ share }) => share) }),
      );
      for (const { jobId, nodeId } of place(
        waiting.map((one) => ({ ...one, overdue: now > overdueAfter })),
        rooms,
      )) {
        const share = waiting.find((one) => one.jobId === jobId);
        if (share) running.push({ nodeId, share, until: now + share.seconds });
        placedAt.set(jobId, now);
      }
      waiting = waiting.filter(({ jobId }) => !placedAt.has(jobId));
      for (const { id, slots, cpuMilli } of nodes) {
        const here = running.filter(({ nodeId }) => nodeId === id);
        expect(here.length).toBeLessThanOrEqual(slots);
        expect(here.reduce((sum, { share }) => sum + share.cpuMilli, 0)).toBeLessThanOrEqual(cpuMilli);
      }
    }
    return placedAt;
  }

  it('starts a large job within the longest running one after its patience, while small ones never stop coming', () => {
    const small = Array.from({ length: 2000 }, (_, index) => ({ ...job(`s${index}`), seconds: 3 + (index % 5) }));
    const large = { ...job('large', LARGE), seconds: 5 };
    const placedAt = simulate([node('a'), node('b')], [...small.slice(0, 8), large, ...small.slice(8)], 60);
    expect(placedAt.get('large')).toBeGreaterThan(0);
    expect(placedAt.get('large')).toBeLessThanOrEqual(60 + 7 + 1);
  });
});
