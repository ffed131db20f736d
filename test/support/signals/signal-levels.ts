/** The levels at which no program may tell that it is watched or restricted. */
import { type Level } from '#lib/profiles';

export const PROFILE_KINDS = ['syscalls', 'arguments', 'files'] as const;
/** What a profile holds; also the monitoring that teaches it, and by which it is audited. */
export type ProfileKind = (typeof PROFILE_KINDS)[number];

export interface FaithfulLevel {
  readonly name: string;
  readonly level: Level;
  /** Learned from the program itself, or from IDLE, so that as many calls as can be are outside the profile. */
  readonly profile?: { readonly kind: ProfileKind; readonly learnedFrom: 'itself' | 'idle' };
}

export const FAITHFUL_LEVELS: readonly FaithfulLevel[] = [
  { name: 'nothing', level: { enforcement: 'none', monitoring: 'none' } },
  ...PROFILE_KINDS.map((kind): FaithfulLevel => ({
    name: `a recording of ${kind}`,
    level: { enforcement: 'none', monitoring: kind },
  })),
  ...PROFILE_KINDS.map((kind): FaithfulLevel => ({
    name: `enforcement of ${kind}`,
    level: { enforcement: 'enforce', monitoring: 'none' },
    profile: { kind, learnedFrom: 'itself' },
  })),
  {
    name: 'enforcement of files and a recording of them',
    level: { enforcement: 'enforce', monitoring: 'files' },
    profile: { kind: 'files', learnedFrom: 'itself' },
  },
  ...PROFILE_KINDS.map((kind): FaithfulLevel => ({
    name: `an audit of ${kind}`,
    level: { enforcement: 'audit', monitoring: kind },
    profile: { kind, learnedFrom: 'idle' },
  })),
];
