/** A profile version with all that a decision about it speaks of, read while its build is locked. */
import { type Architecture, type AuditTerms, type ProfileState, type Stage } from '#lib/profiles';
import { type EntityManager } from 'typeorm';

export interface LockedVersion {
  readonly id: string;
  readonly number: number;
  readonly buildId: string;
  readonly tenant: string;
  readonly applicationId: string;
  readonly contentDigest: string;
  readonly architecture: Architecture;
  readonly digest: string;
  readonly canonical: string;
  readonly state: ProfileState;
  readonly basedOn: string | null;
  readonly inheritedFrom: string | null;
  readonly proposedBy: string | null;
  readonly stage: Stage | null;
  readonly stageSince: Date | null;
  readonly auditTerms: AuditTerms | null;
  readonly auditOver: boolean;
  readonly statement: string | null;
  readonly signature: string | null;
  /** What its application asks of an audit that starts now. */
  readonly quietRuns: number;
  readonly inputs: number;
}

/** The lock makes decisions and proposals of one build follow one another; runs of the build start meanwhile. */
export async function lockBuild(manager: EntityManager, id: string): Promise<void> {
  await manager.query('SELECT FROM build WHERE id = $1 FOR NO KEY UPDATE', [id]);
}

/** Locks its build too, before anything of it is read. */
export async function lockVersion(manager: EntityManager, id: string): Promise<LockedVersion | undefined> {
  await manager.query(
    'SELECT FROM build WHERE id = (SELECT build_id FROM profile_version WHERE id = $1) FOR NO KEY UPDATE',
    [id],
  );
  return readVersion(manager, id);
}

/** The caller holds the build's lock. */
export async function readVersion(manager: EntityManager, id: string): Promise<LockedVersion | undefined> {
  const rows: LockedVersion[] = await manager.query(
    `SELECT version.id, version.number, build.id AS "buildId", application.tenant, application.id AS "applicationId",
       build.content_digest AS "contentDigest", build.architecture, version.digest, version.canonical, version.state,
       version.based_on AS "basedOn", version.inherited_from AS "inheritedFrom", version.proposed_by AS "proposedBy",
       version.stage, version.stage_since AS "stageSince", version.audit_terms AS "auditTerms",
       version.audit_over AS "auditOver", version.statement, version.signature, application.quiet_runs_needed AS "quietRuns",
       application.quiet_inputs_needed AS inputs
     FROM profile_version AS version JOIN build ON build.id = version.build_id
     JOIN application ON application.id = build.application_id WHERE version.id = $1`,
    [id],
  );
  return rows[0];
}
