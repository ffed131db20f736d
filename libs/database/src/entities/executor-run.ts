/** What one executor run measured, recorded, denied and printed. */
import { type Enforcement, type LandlockStatus, type Monitoring } from '#lib/profiles';
import { Column, CreateDateColumn, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { numeric } from './numeric.js';

/** Milliseconds by phase. */
export type PhasesMs = Partial<
  Record<'queue' | 'stage' | 'create' | 'start' | 'payload' | 'remove' | 'upload', number>
>;

@Entity('executor_run')
export class ExecutorRun {
  @PrimaryColumn('uuid') id!: string;
  @Column('uuid', { name: 'job_id' }) jobId!: string;
  @Column('integer', { name: 'attempt_number' }) attemptNumber!: number;
  @Column('integer') position!: number;
  @Column('uuid', { name: 'build_id' }) buildId!: string;
  @Column('uuid', { name: 'profile_version_id', nullable: true }) profileVersionId!: string | null;
  @Column('uuid', { name: 'node_id' }) nodeId!: string;
  @Column('text') enforcement!: Enforcement;
  @Column('text') monitoring!: Monitoring;
  @Column('text', { name: 'selection_reason' }) selectionReason!: string;
  @Column('text', { name: 'filter_digest' }) filterDigest!: string;
  @Column('text', { name: 'inputs_digest' }) inputsDigest!: string;
  /** Of the staged inputs alone. */
  @Column('text', { name: 'data_digest' }) dataDigest!: string;
  @Column('text', { name: 'landlock_status' }) landlockStatus!: LandlockStatus;
  @Column('jsonb', { name: 'phases_ms', nullable: true }) phasesMs!: PhasesMs | null;
  @Column('bigint', { name: 'wall_us', nullable: true, transformer: numeric }) wallUs!: number | null;
  @Column('bigint', { name: 'user_us', nullable: true, transformer: numeric }) userUs!: number | null;
  @Column('bigint', { name: 'system_us', nullable: true, transformer: numeric }) systemUs!: number | null;
  @Column('bigint', { name: 'max_rss_bytes', nullable: true, transformer: numeric }) maxRssBytes!: number | null;
  @Column('bigint', { name: 'voluntary_switches', nullable: true, transformer: numeric }) voluntarySwitches!:
    number | null;
  @Column('bigint', { name: 'involuntary_switches', nullable: true, transformer: numeric }) involuntarySwitches!:
    number | null;
  @Column('bigint', { name: 'call_count', nullable: true, transformer: numeric }) callCount!: number | null;
  @Column('integer', { name: 'exit_code', nullable: true }) exitCode!: number | null;
  @Column('integer', { nullable: true }) signal!: number | null;
  @Column('text', { nullable: true }) outcome!: string | null;
  /** What the payload ended by, in a job's errors; null after exit code 0. */
  @Column('text', { name: 'error_code', nullable: true }) errorCode!: string | null;
  /** Denied calls that are in none of its denials. */
  @Column('bigint', { name: 'denials_dropped', transformer: numeric }) denialsDropped!: number;
  /** When its denials were looked at for a proposal. */
  @Column('timestamptz', { name: 'denials_considered_at', nullable: true }) denialsConsideredAt!: Date | null;
  /** They were, and were not passed over because there were none. */
  @Column('boolean', { name: 'denials_taken' }) denialsTaken!: boolean;
  @Column('jsonb', { name: 'node_facts' }) nodeFacts!: Record<string, unknown>;
  @Column('uuid', { nullable: true }) calibration!: string | null;
  @Column('integer', { nullable: true }) block!: number | null;
  @CreateDateColumn({ type: 'timestamptz', name: 'started_at' }) startedAt!: Date;
  @Column('timestamptz', { name: 'ended_at', nullable: true }) endedAt!: Date | null;
}

@Entity('denial')
export class DenialRow {
  @PrimaryGeneratedColumn('identity', { type: 'bigint' }) id!: string;
  @Column('uuid', { name: 'executor_run_id' }) executorRunId!: string;
  /** In the order in which they first happened. */
  @Column('integer') position!: number;
  @Column('text') call!: string;
  @Column('jsonb') shape!: Record<string, unknown>;
  @Column('text') action!: 'refused' | 'continued' | 'killed';
  @Column('text') description!: string;
  @Column('bigint', { transformer: numeric }) count!: number;
}

/** What the payload printed, and the trace of its calls, which is gzip. */
export const ARTIFACT_KINDS = ['stdout', 'stderr', 'trace'] as const;
export type ArtifactKind = (typeof ARTIFACT_KINDS)[number];

@Entity('artifact')
export class Artifact {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column('uuid', { name: 'executor_run_id' }) executorRunId!: string;
  /** The run's own; the database fills both in. */
  @Column('text') tenant!: string;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('text') kind!: ArtifactKind;
  @Column('text', { nullable: true }) sha256!: string | null;
  @Column('bigint', { transformer: numeric }) bytes!: number;
  @Column('bigint', { name: 'dropped_bytes', transformer: numeric }) droppedBytes!: number;
  @Column('boolean') truncated!: boolean;
  @Column('text') storage!: string;
}

@Entity('artifact_chunk')
export class ArtifactChunk {
  @PrimaryColumn('uuid', { name: 'artifact_id' }) artifactId!: string;
  @PrimaryColumn('bigint', { name: 'byte_offset', transformer: numeric }) byteOffset!: number;
  @Column('bytea') content!: Buffer;
}
