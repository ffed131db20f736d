/** How much of a run must be recorded so that it can be compared with a profile. */
import { byName, isUnconditional } from '../model/argument-rules.js';
import { type Profile } from '../model/profile.js';

export const AUDIT_KINDS = ['syscalls', 'arguments', 'files'] as const;
export type AuditKind = (typeof AUDIT_KINDS)[number];

/** `files` for a profile with file rules, `arguments` for one with conditions, else `syscalls`. */
export function auditKind({ rules, files }: Pick<Profile, 'rules' | 'files'>): AuditKind {
  if (files) return 'files';
  return [...byName(rules).values()].every(isUnconditional) ? 'syscalls' : 'arguments';
}
