/** Profile versions, the decisions on them, and which recordings they were merged from. */
import {
  type AuditTerms,
  type CallClass,
  type Coverage,
  type DecidingRule,
  type Origins,
  type ProfileState,
  type Stage,
} from '#lib/profiles';
import { Column, CreateDateColumn, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';

@Entity('profile_version')
export class ProfileVersion {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column('uuid', { name: 'build_id' }) buildId!: string;
  @Column('integer') number!: number;
  @Column('text') digest!: string;
  @Column('text') canonical!: string;
  @Column('jsonb') coverage!: Coverage;
  @Column('jsonb') origins!: Origins;
  /** Of the table of families that it was expanded by; null where the table had no part in it. */
  @Column('integer', { name: 'families_version', nullable: true }) familiesVersion!: number | null;
  /** Its conditions come from recordings that were enough for them, or from a person. */
  @Column('boolean', { name: 'conditions_taught' }) conditionsTaught!: boolean;
  @Column('text') state!: ProfileState;
  @Column('uuid', { name: 'based_on', nullable: true }) basedOn!: string | null;
  /** The principal that wrote it by hand; null where recordings made it. */
  @Column('uuid', { name: 'proposed_by', nullable: true }) proposedBy!: string | null;
  /** Of an APPROVED version; what the signed statement says counts. */
  @Column('text', { nullable: true }) stage!: Stage | null;
  @Column('jsonb', { name: 'audit_terms', nullable: true }) auditTerms!: AuditTerms | null;
  @Column('timestamptz', { name: 'stage_since', nullable: true }) stageSince!: Date | null;
  /** Its audit had its runs and was not promoted: nothing but a person's decision goes on from here. */
  @Column('boolean', { name: 'audit_over' }) auditOver!: boolean;
  /** The version of another build whose rules it took over. */
  @Column('uuid', { name: 'inherited_from', nullable: true }) inheritedFrom!: string | null;
  /** Classes of the calls that it adds to the version that it is based on. */
  @Column('text', { name: 'addition_classes', array: true }) additionClasses!: CallClass[];
  @Column('text', { nullable: true }) statement!: string | null;
  @Column('text', { nullable: true }) signature!: string | null;
  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'decided_at', nullable: true }) decidedAt!: Date | null;
  /** Of an APPROVED version whose approval was not signed anew: a person must approve it again. */
  @Column('timestamptz', { name: 'review_since', nullable: true }) reviewSince!: Date | null;
}

@Entity('approval')
export class Approval {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column('uuid', { name: 'profile_version_id' }) profileVersionId!: string;
  @Column('text') stage!: 'approved' | 'rejected' | 'revoked';
  @Column('bigint') sequence!: string;
  /** The principal; null where a rule decided. */
  @Column('uuid', { name: 'decided_by', nullable: true }) decidedBy!: string | null;
  @Column('text', { nullable: true }) rule!: DecidingRule | null;
  @Column('text') reason!: string;
  @Column('text') statement!: string;
  @Column('text') signature!: string;
  /** The sequence of the decision that it repeats under another key; null for a decision of its own. */
  @Column('bigint', { name: 'resigned_from', nullable: true }) resignedFrom!: string | null;
  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' }) createdAt!: Date;
}

@Entity('profile_version_recording')
export class ProfileVersionRecording {
  @PrimaryColumn('uuid', { name: 'profile_version_id' }) profileVersionId!: string;
  @PrimaryColumn('uuid', { name: 'executor_run_id' }) executorRunId!: string;
  @Column('text', { name: 'recording_digest' }) recordingDigest!: string;
}

/** Runs whose denials are evidence of a version. */
@Entity('profile_version_denial')
export class ProfileVersionDenial {
  @PrimaryColumn('uuid', { name: 'profile_version_id' }) profileVersionId!: string;
  @PrimaryColumn('uuid', { name: 'executor_run_id' }) executorRunId!: string;
}
