import { describe, expect, it } from 'vitest';
import { type Placed } from './in-flight.js';
import { Patience } from './patience.js';
import { plainNode } from './plain.fixture.js';
import { Room } from './room.js';

const share = { cpuMilli: 1000, memoryBytes: 1, diskBytes: 1 };
const placed = (jobId: string, nodeId = 'a', fence = 1): Placed => ({
  jobId,
  nodeId,
  fence,
  ...{ tenant: 'lab', submittedBy: 'ada', endsAtMs: 0 },
  ...share,
});

/** Two slots, of which so many run something. */
function roomOf(running: number, here: readonly Placed[], id = 'a'): Room {
  const node = plainNode(id, { slots: 2, cpuMilli: 2000, memoryBytes: 2, diskBytes: 2 });
  const held = Array.from({ length: running }, () => ({ ...share, endsAtMs: 0 }));
  return new Room({ ...node, turnover: 2, running: held, placed: here }, 0);
}
const ids = (of: readonly Placed[]) => of.map(({ jobId }) => jobId);

describe('patience with placements', () => {
  it('ends for a node that has room and does not claim', () => {
    const patience = new Patience(10_000);
    const here = [placed('x'), placed('y'), placed('z')];
    expect(patience.judge(here, [roomOf(0, here)], 0).unclaimed).toEqual([]);
    expect(patience.judge(here, [roomOf(0, here)], 9_999).unclaimed).toEqual([]);
    const verdicts = patience.judge(here, [roomOf(0, here)], 10_000);
    expect(ids(verdicts.unclaimed)).toEqual(['x', 'y']);
    expect(ids(verdicts.behind)).toEqual(['z']);
  });

  it('begins anew when a slot comes free, and blames no node that is full', () => {
    const patience = new Patience(10_000);
    const here = [placed('x')];
    patience.judge(here, [roomOf(2, here)], 0);
    expect(patience.judge(here, [roomOf(2, here)], 2_000)).toEqual({ silent: [], unclaimed: [], behind: [] });
    expect(patience.judge(here, [roomOf(1, here)], 2_500).unclaimed).toEqual([]);
    expect(patience.judge(here, [roomOf(1, here)], 12_400).unclaimed).toEqual([]);
    expect(ids(patience.judge(here, [roomOf(1, here)], 12_500).unclaimed)).toEqual(['x']);
  });

  it('gives a job back to all nodes when the jobs before it are not short', () => {
    const patience = new Patience(10_000);
    const here = [placed('x')];
    patience.judge(here, [roomOf(2, here)], 0);
    const verdicts = patience.judge(here, [roomOf(2, here)], 3_000);
    expect(ids(verdicts.behind)).toEqual(['x']);
    expect(verdicts.unclaimed).toEqual([]);
  });

  it('does not wait for a node that takes no jobs', () => {
    const here = [placed('x'), placed('y', 'gone')];
    expect(ids(new Patience(10_000).judge(here, [roomOf(0, [placed('x')])], 0).silent)).toEqual(['y']);
  });

  it('begins anew with every fence, and when Redis was away', () => {
    const patience = new Patience(10_000);
    patience.judge([placed('x')], [roomOf(0, [placed('x')])], 0);
    const again = [placed('x', 'a', 2)];
    expect(patience.judge(again, [roomOf(0, again)], 10_000).unclaimed).toEqual([]);
    patience.startAnew();
    expect(patience.judge(again, [roomOf(0, again)], 20_000).unclaimed).toEqual([]);
    expect(ids(patience.judge(again, [roomOf(0, again)], 30_000).unclaimed)).toEqual(['x']);
  });
});
