/** A profile: the rules one build may use. Immutable; its identity is the SHA-256 of its canonical JSON. */
import { type Condition } from './condition.js';
import { type FileRule, type LandlockStatus } from './files.js';

export const ARCHITECTURES = ['x86_64', 'aarch64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** Profile states. PROPOSED is the only one that can be decided; APPROVED is unique per build. */
export const PROFILE_STATES = ['PROPOSED', 'APPROVED', 'REJECTED', 'SUPERSEDED', 'REVOKED'] as const;
export type ProfileState = (typeof PROFILE_STATES)[number];

/** From each state to those that may follow it; the database refuses every other change. */
export const PROFILE_TRANSITIONS = {
  PROPOSED: ['APPROVED', 'REJECTED', 'SUPERSEDED'],
  APPROVED: ['SUPERSEDED', 'REVOKED'],
  REJECTED: [],
  // Proposed again, when what took its place is gone; or inherited.
  SUPERSEDED: ['PROPOSED', 'APPROVED'],
  REVOKED: [],
} as const satisfies Record<ProfileState, readonly ProfileState[]>;

/** One entry, in the words of the OCI runtime specification, config-linux.md, "Seccomp". */
export type Rule = AllowRule | RefusalRule;

export interface AllowRule {
  /** System call names of the profile's architecture, sorted. */
  readonly names: readonly string[];
  readonly action: 'SCMP_ACT_ALLOW';
  /** All must hold; several rules of one name are alternatives. Absent: whatever the arguments. */
  readonly args?: readonly Condition[];
  readonly errnoRet?: never;
}

/**
 * A quiet refusal: the kernel answers with the errno, and nobody is told. It is the answer that the program got while it
 * was learned, so only calls that the container engine refuses anyway, and reviewed probes, may have one.
 */
export interface RefusalRule {
  readonly names: readonly string[];
  readonly action: 'SCMP_ACT_ERRNO';
  /** A number of asm-generic/errno.h, 1 to 4095. */
  readonly errnoRet: number;
  readonly args?: never;
}

export interface Profile {
  readonly version: 1;
  readonly architecture: Architecture;
  readonly rules: readonly Rule[];
  /** The only network this version grants. */
  readonly network: 'none';
  /** Held by Landlock under `enforce`. Absent: files are the container's matter alone. */
  readonly files?: readonly FileRule[];
  /** What a node must hold of `files`, or the job is refused there; absent: NOT_ENFORCED, that is nothing. */
  readonly landlockMinimum?: LandlockStatus;
  /** Processes and threads, at most; the job's own limit where that is lower. */
  readonly pids?: number;
}

/**
 * How many of the recordings a version was merged from contained a call, or used a file rule ("file:" and its path; of those
 * recordings that hold files).
 */
export interface Coverage {
  readonly [name: string]: { readonly seenIn: number; readonly of: number };
}
