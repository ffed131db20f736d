/** What the recorder saw of one executor run, with its certificate of completeness. */
import { type Architecture } from './profile.js';

/** Every reason that makes a recording partial. A partial recording never enters a profile by itself. */
export const PARTIAL_REASONS = [
  'not-armed-before-start',
  'never-started',
  'map-failure',
  'compat-calls',
  'x32-calls',
  'unknown-calls',
  'io-uring',
  'recursion-misses',
  'foreign-processes',
  'overflow',
  'drain-failed',
  'payload-stopped',
  'recorder-lost',
] as const;
export type PartialReason = (typeof PARTIAL_REASONS)[number];

/** The facts behind a recording's completeness, as counted in the kernel. Counts are calls unless named otherwise. */
export interface Certificate {
  readonly armedBeforeStart: boolean;
  readonly started: boolean;
  readonly cleanDrain: boolean;
  /** False when the payload was ended by a wall-time limit, a cancel or a lost worker. */
  readonly payloadEndedOnItsOwn: boolean;
  readonly compatCalls: number;
  readonly x32Calls: number;
  readonly unknownCalls: number;
  readonly ioUringSetups: number;
  /** Programs' recursion_misses plus failed map updates. */
  readonly recursionMisses: number;
  readonly mapFailures: number;
  /** Processes that made calls in the cgroup and do not descend from porin-init. */
  readonly foreignProcesses: number;
  /** Calls made by porin-init itself, counted apart. */
  readonly supervisorCalls: number;
  readonly execs: number;
}

export interface Recording {
  readonly version: 1;
  readonly architecture: Architecture;
  /** Calls by name, native ABI only. */
  readonly calls: Readonly<Record<string, number>>;
  readonly certificate: Certificate;
  readonly partialReasons: readonly PartialReason[];
}
