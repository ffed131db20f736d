/** Approves additions that give no authority, where an administrator lets a rule do it: the stage stays what it was. */
import {
  additionsOf,
  type ApprovalKeys,
  callClass,
  canonicalProfile,
  parseProfile,
  type Profile,
  refusalsByName,
} from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { lockVersion, readVersion, releaseHeldJobs, uncompilable, verifiedAudit, writeDecision } from '#lib/store';
import { type Candidate } from './rule.js';

const CANDIDATE = `version.state = 'PROPOSED' AND version.proposed_by IS NULL
  AND version.addition_classes <@ '{basic,harmless}' AND application.auto_approve = 'harmless'
  AND EXISTS (SELECT FROM profile_version AS base WHERE base.id = version.based_on AND base.build_id = version.build_id
    AND base.state = 'APPROVED')`;
const VERSIONS = `profile_version AS version JOIN build ON build.id = version.build_id
  JOIN application ON application.id = build.application_id`;

/** Versions that recordings or denials proposed as an addition to the approved one of their build. */
export function harmlessCandidates(manager: EntityManager): Promise<readonly Candidate[]> {
  return manager.query(`SELECT version.id FROM ${VERSIONS} WHERE ${CANDIDATE} ORDER BY version.created_at`);
}

/** Whether it was approved. */
export async function autoApprove(manager: EntityManager, keys: ApprovalKeys, versionId: string): Promise<boolean> {
  const version = await lockVersion(manager, versionId);
  const stillSo: unknown[] = await manager.query(`SELECT FROM ${VERSIONS} WHERE version.id = $1 AND ${CANDIDATE}`, [
    versionId,
  ]);
  if (!version?.basedOn || stillSo.length === 0) return false;
  const base = await readVersion(manager, version.basedOn);
  const audit = base && (await verifiedAudit(manager, keys, base));
  if (!base || audit === undefined) return false;
  const profile = parseProfile(version.canonical);
  if (!isHarmless(profile, parseProfile(base.canonical)) || uncompilable(profile) !== null) return false;
  await writeDecision(manager, keys, version, {
    kind: 'approved',
    from: 'PROPOSED',
    // The same end and the same runs: whoever makes harmless denials stays in no audit for it.
    audit,
    ...(audit && base.stageSince && { since: base.stageSince, auditOver: base.auditOver }),
    reason: 'it adds basic and harmless calls alone',
    by: { rule: 'auto-approve' },
  });
  await releaseHeldJobs(manager);
  return true;
}

/** It takes nothing away, and adds nothing but calls that give no authority with the arguments that they may have. */
export function isHarmless(profile: Profile, base: Profile): boolean {
  const { classes, isBeyondCalls } = additionsOf(profile, base);
  const quietBefore = refusalsByName(base.rules);
  const quiet = [...refusalsByName(profile.rules).keys()].filter((name) => !quietBefore.has(name));
  return (
    [...classes, ...quiet.map(callClass)].every((of) => of === 'basic' || of === 'harmless') &&
    !isBeyondCalls &&
    additionsOf(base, profile).classes.length === 0 &&
    beyondRules(profile) === beyondRules(base)
  );
}

function beyondRules(profile: Profile): string {
  return canonicalProfile({ ...profile, rules: [] });
}
