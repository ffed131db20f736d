/** Decides which placements stand no longer: whose node is silent, or does not claim what it has room for. */
import { type Placed } from './in-flight.js';
import { type Room } from './room.js';

/** Where a slot does not come free within this time, jobs there are not short any more: no job is kept waiting behind them. */
const BEHIND_OTHERS_MS = 3_000;

export interface Verdicts {
  /** Their nodes take no jobs now. */
  readonly silent: readonly Placed[];
  /** Their nodes have room for them, and left them. */
  readonly unclaimed: readonly Placed[];
  /** They wait behind others for longer than it takes a short job to end. */
  readonly behind: readonly Placed[];
}

export class Patience {
  /** By job: since when its node has, or has not, the room for it. */
  #since = new Map<string, { readonly key: string; readonly atMs: number }>();

  constructor(private readonly claimMs: number) {}

  /** `placed` in the order in which they were placed; `rooms` of the nodes that take jobs; `nowMs` on a clock that never goes back. */
  judge(placed: readonly Placed[], rooms: readonly Room[], nowMs: number): Verdicts {
    const roomOf = new Map(rooms.map((room) => [room.node.id, room]));
    const before = this.#since;
    const places = new Map<string, number>();
    this.#since = new Map();
    const silent: Placed[] = [];
    const unclaimed: Placed[] = [];
    const behind: Placed[] = [];
    for (const one of placed) {
      const room = roomOf.get(one.nodeId);
      if (!room) {
        silent.push(one);
        continue;
      }
      const place = places.get(one.nodeId) ?? 0;
      places.set(one.nodeId, place + 1);
      const claimable = place < room.claimable;
      const key = `${one.fence} ${claimable}`;
      const known = before.get(one.jobId);
      const since = known?.key === key ? known : { key, atMs: nowMs };
      this.#since.set(one.jobId, since);
      if (nowMs - since.atMs < (claimable ? this.claimMs : BEHIND_OTHERS_MS)) continue;
      (claimable ? unclaimed : behind).push(one);
    }
    return { silent, unclaimed, behind };
  }

  /** Redis is away: that nobody claims is nobody's fault. */
  startAnew(): void {
    this.#since.clear();
  }
}
