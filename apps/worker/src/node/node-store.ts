/** This node's row, what an earlier process of the same node left open, and which images its attempts have used. */
import { sign, type KeyObject } from 'node:crypto';
import { type NodeRow } from '#lib/database';
import { type NodeCalls } from '../store/node-database.js';
import { type Share } from './resources.js';

type Registration = Omit<NodeRow, 'id' | 'state' | 'startedAt' | 'heartbeatAt' | 'suspectSince' | 'suspectReason'> & {
  readonly startedAt: string;
  /** Of SealingKey: secrets are sealed to it. */
  readonly sealingKey: string;
};
/** What the grid lets the node give, which may be less than it says. */
export type Granted = Share & { readonly id: string; readonly slots: number };

type NodeState = 'READY' | 'DRAINING' | 'GONE';
export interface HeartbeatAnswer {
  /** That the node has now. */
  readonly state: NodeState;
  /** The number of a probe that the dispatcher asks for. */
  readonly probe: number | null;
}

export class NodeStore {
  constructor(
    private readonly database: NodeCalls,
    private readonly key: KeyObject,
  ) {}

  /**
   * Signed with the node's key; it is not READY before the API has verified that. The same `startedAt` again: this process says
   * something new of itself.
   */
  register(node: Registration): Promise<Granted> {
    const text = JSON.stringify(node);
    const signature = sign(null, Buffer.from(text), this.key).toString('base64');
    return this.database.call('node_register', { text, signature });
  }

  /** What the last process of this node held is lost at once: the session says that it is gone. */
  loseOpenAttempts(): Promise<number> {
    return this.database.call('node_lose_open');
  }

  /** By the clock of Postgres, milliseconds since the epoch. */
  databaseTimeMs(): Promise<number> {
    return this.database.call('node_clock');
  }

  /** Of these repository digests those that attempts on this node have used, the last used first. */
  byLastUse(repositoryDigests: readonly string[]): Promise<readonly string[]> {
    return this.database.call('node_images_by_last_use', { repositoryDigests });
  }

  /** Whether an attempt that is open here runs one of them, or may yet: its executor names the repository and is not resolved. */
  usesAny(repositoryDigests: readonly string[]): Promise<boolean> {
    return this.database.call('node_uses_any_image', { repositoryDigests });
  }

  /**
   * `ailment`: why the node cannot work; null where it can. Answers that it is not READY while its registration has not been
   * verified, and until a probe of it was judged.
   */
  heartbeat(state: NodeState, ailment: string | null): Promise<HeartbeatAnswer> {
    return this.database.call('node_heartbeat', { state, ailment });
  }

  /** `problem`: what failed, null where nothing did. False where nobody waits for it any more. */
  endProbe(number: number, problem: string | null): Promise<boolean> {
    return this.database.call('node_end_probe', { number, problem });
  }
}
