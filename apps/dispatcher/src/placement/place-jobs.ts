/** Rounds of placement in the database: each takes off what nobody claims, and places what may go. */
import { type Message } from '#lib/queue';
import { type EntityManager } from 'typeorm';
import { FairShare, type Standing } from './fair-share.js';
import { inFlight, markUnresponsive, type Placed, type ReadyNode, readyNodes, takeOff } from './in-flight.js';
import { Lanes, type QueuedJob } from './lanes.js';
import { type Patience } from './patience.js';
import { type Held, type Reservation, Room } from './room.js';
import { schedule } from './schedule.js';
import { sealChosen } from './seal-chosen.js';
import { type Chosen, type SecretSealer, storeSealed } from './seal-secrets.js';
import { tellWaiting } from './tell-waiting.js';
import { loadUsage, loadWeights, NO_WEIGHTS, saveUsage } from './usage.js';

export type Dispatch = Message & { readonly nodeId: string };

export interface Round {
  /** To be added to the queues after the commit. A crash in between is mended by `possiblyLost`. */
  readonly placed: readonly Dispatch[];
  /** Their messages are stale. */
  readonly takenOff: readonly Dispatch[];
  /** Some of `takenOff` were left by these nodes, which had room. */
  readonly leftBy: readonly string[];
  /** Whether another round at once may place more. */
  readonly isUnfinished: boolean;
}

export interface PlacementTerms {
  /** After which a job that fits nowhere has a node reserved. */
  readonly reserveAfterMs: number;
  readonly usageHalfLifeMs: number;
  /** Between two writings of usage and of why jobs wait. */
  readonly tellMs: number;
}

/** What the leader knows from one round to the next. */
export class Placement {
  readonly #lanes = new Lanes();
  #shares: FairShare | undefined;
  #weights = NO_WEIGHTS;
  #reservations: readonly Reservation[] = [];
  #toldAtMs = -Infinity;

  constructor(
    private readonly patience: Patience,
    private readonly terms: PlacementTerms,
    private readonly secrets: SecretSealer,
  ) {}

  /** The transaction of the last round failed: what it has taken from the queue is there still. */
  forget(): void {
    this.#lanes.reset();
    this.#shares = undefined;
  }

  /** In a transaction of its own. */
  async round(manager: EntityManager): Promise<Round> {
    const { nodes, nowMs } = await readyNodes(manager, this.secrets.isAble);
    const { running, placed } = await inFlight(manager);
    const roomsWith = (still: readonly Placed[]) => nodes.map((node) => roomOf(node, running, still, nowMs));
    // What lies on a suspect node is taken off at once, as on one that is silent.
    const open = roomsWith(placed).filter(({ node }) => node.closedBy === null);
    const { silent, unclaimed, behind } = this.patience.judge(placed, open, performance.now());
    const off = new Set([
      ...(await takeOff(manager, [...silent, ...unclaimed], 'placing-again')),
      ...(await takeOff(manager, behind, 'waiting-for-slot')),
    ]);
    const leftBy = [...new Set(unclaimed.filter(({ jobId }) => off.has(jobId)).map(({ nodeId }) => nodeId))];
    await markUnresponsive(manager, leftBy);
    const still = placed.filter(({ jobId }) => !off.has(jobId));
    // Who just left a job shall first report again.
    const rooms = roomsWith(still).filter(({ node }) => !leftBy.includes(node.id));
    const shares = (this.#shares ??= new FairShare(
      this.terms.usageHalfLifeMs,
      nowMs,
      await loadUsage(manager, this.terms.usageHalfLifeMs),
    ));
    const held = [...running, ...still];
    shares.accrue(held, nowMs);
    const tells = nowMs - this.#toldAtMs >= this.terms.tellMs;
    if (tells) this.#weights = await loadWeights(manager);
    const standing = shares.standing(held, this.#weights);
    const sent = await this.#place(manager, { rooms, standing, nowMs });
    if (tells) {
      await saveUsage(manager, shares.usage());
      await tellWaiting(manager, {
        ...{ lanes: this.#lanes.known(), rooms, reservations: this.#reservations, nowMs },
        sealsSecrets: this.secrets.isAble,
        standingOf: (tenant) => standing.ofTenant(tenant),
      });
      this.#toldAtMs = nowMs;
    }
    const takenOff = placed
      .filter(({ jobId }) => off.has(jobId))
      .map(({ jobId, fence, nodeId }) => ({ jobId, attempt: fence, nodeId }));
    return { placed: sent.placed, takenOff, leftBy, isUnfinished: sent.isUnfinished };
  }

  async #place(
    manager: EntityManager,
    {
      rooms,
      standing,
      nowMs,
    }: { readonly rooms: readonly Room[]; readonly standing: Standing; readonly nowMs: number },
  ): Promise<Pick<Round, 'placed' | 'isUnfinished'>> {
    const places = rooms.reduce((sum, room) => sum + room.places, 0);
    const lanes = await this.#lanes.look(manager, places, nowMs);
    const { reserveAfterMs } = this.terms;
    const terms = { nowMs, reserveAfterMs, reservations: this.#reservations };
    const { placements, reservations } = schedule(lanes, rooms, standing, terms);
    this.#reservations = reservations;
    const lucky = new Set(placements.map(({ laneId }) => laneId));
    this.#lanes.readOn((laneId) => places > placements.length && !lucky.has(laneId));
    const seesMore = places > placements.length && this.#lanes.isBehind(nowMs);
    if (placements.length === 0) return { placed: [], isUnfinished: seesMore };
    const jobs = new Map<string, QueuedJob>(
      lanes.flatMap(({ candidates }) => candidates.map((job) => [job.jobId, job])),
    );
    const chosen = placements.flatMap(({ jobId, nodeId }) => {
      const fence = jobs.get(jobId)?.fence;
      return fence === undefined ? [] : [{ jobId, fence, nodeId }];
    });
    const namesSecrets = ({ jobId }: Chosen) => jobs.get(jobId)?.namesSecrets === true;
    const { placeable, left, sealed } = await sealChosen(manager, this.secrets, chosen, namesSecrets);
    const stays = new Set(left.map(({ jobId }) => jobId));
    this.#lanes.forget(new Set(chosen.flatMap(({ jobId }) => (stays.has(jobId) ? [] : [jobId]))));
    const placed = await mark(manager, placeable);
    const isPlaced = new Set(placed.map(({ jobId }) => jobId));
    await storeSealed(
      manager,
      sealed.filter(({ jobId }) => isPlaced.has(jobId)),
    );
    // Some were canceled since they were read.
    return { placed, isUnfinished: placed.length < placeable.length || left.length > 0 || seesMore };
  }
}

function roomOf(
  node: ReadyNode,
  running: readonly (Held & { nodeId: string })[],
  placed: readonly Placed[],
  nowMs: number,
): Room {
  const here = <T extends { readonly nodeId: string }>(all: readonly T[]) =>
    all.filter(({ nodeId }) => nodeId === node.id);
  return new Room({ ...node, running: here(running), placed: here(placed) }, nowMs);
}

/** In the order of `chosen`. Jobs that were canceled meanwhile are left out. */
async function mark(manager: EntityManager, chosen: readonly Chosen[]): Promise<Dispatch[]> {
  const rows: Dispatch[] = await manager
    .query(
      `WITH chosen AS (
       SELECT * FROM jsonb_to_recordset($1) AS chosen("jobId" uuid, fence int, "nodeId" uuid)
     ), taken AS (
       DELETE FROM queue_entry USING chosen WHERE queue_entry.job_id = chosen."jobId"
     )
     UPDATE job SET dispatched_fence = job.fence, placed_node_id = chosen."nodeId", placed_at = clock_timestamp() FROM chosen
     WHERE job.id = chosen."jobId" AND job.fence = chosen.fence AND job.state = 'QUEUED'
     RETURNING job.id AS "jobId", job.fence AS attempt, job.placed_node_id AS "nodeId"`,
      [JSON.stringify(chosen)],
    )
    .then(([updated]: [Dispatch[], number]) => updated);
  const placed = new Map(rows.map((row) => [row.jobId, row]));
  return chosen.flatMap(({ jobId }) => placed.get(jobId) ?? []);
}
