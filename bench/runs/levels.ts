/** The levels that the benches measure at: one table for all of them. */
import { type Level } from '#lib/profiles';

/** How much of a learned profile is enforced: each holds what the one before it does. */
export type ProfileDepth = 'names' | 'arguments' | 'files';

export interface BenchLevel {
  readonly title: string;
  readonly level: Level;
  /** Of the profile that is enforced or audited; absent where there is none. */
  readonly depth?: ProfileDepth;
  /** Attached by the bench, at the gate: no level of Porin's, but something to compare with. */
  readonly beside?: 'strace' | 'bpftrace';
}

export const LEVEL_NAMES = [
  'none',
  'enforce',
  'enforce-arguments',
  'enforce-files',
  'audit',
  'syscalls',
  'arguments',
  'files',
  'trace-notify',
  'trace',
  'strace',
  'bpftrace',
] as const;
export type LevelName = (typeof LEVEL_NAMES)[number];

export const LEVELS: Readonly<Record<LevelName, BenchLevel>> = {
  none: { title: 'none (A/A)', level: { enforcement: 'none', monitoring: 'none' } },
  enforce: { title: 'enforce', level: { enforcement: 'enforce', monitoring: 'none' }, depth: 'names' },
  'enforce-arguments': {
    title: 'enforce-arguments',
    level: { enforcement: 'enforce', monitoring: 'none' },
    depth: 'arguments',
  },
  'enforce-files': { title: 'enforce-files', level: { enforcement: 'enforce', monitoring: 'none' }, depth: 'files' },
  audit: { title: 'audit', level: { enforcement: 'audit', monitoring: 'syscalls' }, depth: 'names' },
  syscalls: { title: 'syscalls', level: { enforcement: 'none', monitoring: 'syscalls' } },
  arguments: { title: 'arguments', level: { enforcement: 'none', monitoring: 'arguments' } },
  files: { title: 'files', level: { enforcement: 'none', monitoring: 'files' } },
  'trace-notify': { title: 'trace-notify', level: { enforcement: 'none', monitoring: 'trace-notify' } },
  trace: { title: 'trace', level: { enforcement: 'none', monitoring: 'trace' } },
  strace: { title: 'strace -f', level: { enforcement: 'none', monitoring: 'none' }, beside: 'strace' },
  bpftrace: { title: 'bpftrace', level: { enforcement: 'none', monitoring: 'none' }, beside: 'bpftrace' },
};

/** `control` is `none` for the second time: what differs between the two is noise. */
export type Slot = LevelName | 'control';

export function levelOf(slot: Slot): LevelName {
  return slot === 'control' ? 'none' : slot;
}
