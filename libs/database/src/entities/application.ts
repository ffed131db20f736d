/** Applications and their builds, which profiles are for, and what holds for all applications of a tenant. */
import { type AutoApprove, type Closure, type OnDenial, type OnNewBuild, type UnknownContent } from '#lib/profiles';
import { Column, CreateDateColumn, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { numeric } from './numeric.js';

@Entity('application')
export class Application {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column('text') tenant!: string;
  @Column('text') name!: string;
  @Column('text') image!: string;
  @Column('text', { name: 'command_prefix', array: true }) commandPrefix!: string[];
  @Column('text') policy!: 'learn' | 'hold' | 'refuse';
  @Column('integer', { name: 'recordings_needed' }) recordingsNeeded!: number;
  @Column('integer', { name: 'distinct_inputs_needed' }) distinctInputsNeeded!: number;
  /** What a profile holds beyond the calls that were seen. */
  @Column('text') closure!: Closure;
  /** Exit codes after which a run may teach. */
  @Column('integer', { name: 'expected_exit_codes', array: true }) expectedExitCodes!: number[];
  /** What a refused call leads to. */
  @Column('text', { name: 'on_denial' }) onDenial!: OnDenial;
  /** What becomes of a build without an approved version where another has one. */
  @Column('text', { name: 'on_new_build' }) onNewBuild!: OnNewBuild;
  @Column('text', { name: 'auto_approve' }) autoApprove!: AutoApprove;
  /** Quiet runs under audit after which a version is enforced. */
  @Column('integer', { name: 'quiet_runs_needed' }) quietRunsNeeded!: number;
  /** Different inputs among them. */
  @Column('integer', { name: 'quiet_inputs_needed' }) quietInputsNeeded!: number;
  /** What nodes found since it was last named. */
  @Column('text', { name: 'image_state', default: 'unchecked' }) imageState!: 'unchecked' | 'found' | 'not-found';
  @Column('text', { name: 'image_problem', nullable: true }) imageProblem!: string | null;
  @Column('timestamptz', { name: 'image_checked_at', nullable: true }) imageCheckedAt!: Date | null;
  /** Ids of the nodes that have looked for it, none of which found it. */
  @Column('uuid', { name: 'image_looked_at', array: true, select: false }) imageLookedAt?: readonly string[];
  @Column('uuid', { name: 'created_by', nullable: true }) createdBy!: string | null;
  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' }) createdAt!: Date;
}

@Entity('build')
export class Build {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column('uuid', { name: 'application_id' }) applicationId!: string;
  @Column('text', { name: 'content_digest' }) contentDigest!: string;
  @Column('text') architecture!: 'x86_64' | 'aarch64';
  @Column('text', { name: 'image_reference' }) imageReference!: string;
  @Column('text', { name: 'repository_digest', nullable: true }) repositoryDigest!: string | null;
  @Column('uuid', { name: 'based_on', nullable: true }) basedOn!: string | null;
  /** Digests of its image's layers, lowest first; null where a worker of an earlier version stored it. */
  @Column('text', { array: true, nullable: true }) layers!: string[] | null;
  /** Why its recordings, which are enough by their number, are no profile; null where nothing stands in the way. */
  @Column('text', { name: 'learning_problem', nullable: true }) learningProblem!: string | null;
  /** Set: all its recordings are to be looked at again, as if their jobs had ended just now. */
  @Column('timestamptz', { name: 'reconsider_since', nullable: true }) reconsiderSince!: Date | null;
  /** Up to then, no approval of another build verified by which it could inherit: its jobs wait for a person. */
  @Column('timestamptz', { name: 'inheritance_failed_at', nullable: true }) inheritanceFailedAt!: Date | null;
  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' }) createdAt!: Date;
}

/** A tenant without a row has the defaults. */
@Entity('tenant_setting')
export class TenantSetting {
  @PrimaryColumn('text') tenant!: string;
  /** What jobs get whose image is of no registered application. */
  @Column('text', { name: 'unknown_content' }) unknownContent!: UnknownContent;
  /** Who proposed a version by hand, or submitted what it was learned from, may not approve it. */
  @Column('boolean', { name: 'four_eyes' }) fourEyes!: boolean;
  /** Prefixes of URLs that are this tenant's alone; null: it may name the grid's. */
  @Column('text', { name: 'input_prefixes', array: true, nullable: true }) inputPrefixes!: string[] | null;
  @Column('text', { name: 'output_prefixes', array: true, nullable: true }) outputPrefixes!: string[] | null;
  @Column('integer', { name: 'max_queued_jobs', nullable: true }) maxQueuedJobs!: number | null;
  @Column('bigint', { name: 'max_stored_bytes', nullable: true, transformer: numeric }) maxStoredBytes!: number | null;
  @Column('bigint', { name: 'max_image_bytes', nullable: true, transformer: numeric }) maxImageBytes!: number | null;
  @Column('integer', { name: 'max_proposals', nullable: true }) maxProposals!: number | null;
  /** Of its share of the grid. */
  @Column('integer', { nullable: true }) weight!: number | null;
  /** Days that its logs and traces are kept, where that is less than the grid keeps them. */
  @Column('integer', { name: 'retention_days', nullable: true }) retentionDays!: number | null;
  /** Registries that its images may come from, within the grid's; null: the grid's. */
  @Column('text', { name: 'image_registries', array: true, nullable: true }) imageRegistries!: string[] | null;
  /** Images of a node that it may run, within the grid's; null: the grid's. */
  @Column('text', { name: 'local_images', array: true, nullable: true }) localImages!: string[] | null;
}
