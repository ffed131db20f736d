/** Jobs, their executors, attempts and outputs. */
import {
  type AttemptState,
  type InputReference,
  type JobState,
  type OutputReference,
  type PublishOn,
  type TaskDetails,
} from '#lib/jobs';
import { type Architecture, type Enforcement, type Monitoring } from '#lib/profiles';
import { Column, CreateDateColumn, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { numeric } from './numeric.js';

@Entity('job')
export class Job {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column('text') tenant!: string;
  @Column('uuid', { name: 'submitted_by' }) submittedBy!: string;
  @Column('text', { name: 'submitted_role' }) submittedRole!: 'submitter' | 'reviewer' | 'admin';
  @Column('text', { name: 'idempotency_key', nullable: true }) idempotencyKey!: string | null;
  @Column('text', { name: 'request_digest' }) requestDigest!: string;
  @Column('text') name!: string;
  @Column('text') state!: JobState;
  @Column('integer') fence!: number;
  @Column('integer', { name: 'dispatched_fence' }) dispatchedFence!: number;
  /** Where the attempt of `dispatchedFence` may be claimed. */
  @Column('uuid', { name: 'placed_node_id', nullable: true }) placedNodeId!: string | null;
  @Column('timestamptz', { name: 'placed_at', nullable: true }) placedAt!: Date | null;
  @Column('integer') failures!: number;
  @Column('text', { name: 'waiting_reason', nullable: true }) waitingReason!: string | null;
  @Column('integer') priority!: number;
  @Column('text') architecture!: Architecture;
  @Column('integer', { name: 'cpu_milli' }) cpuMilli!: number;
  @Column('bigint', { name: 'memory_bytes', transformer: numeric }) memoryBytes!: number;
  @Column('bigint', { name: 'disk_bytes', transformer: numeric }) diskBytes!: number;
  @Column('integer', { name: 'wall_time_s' }) wallTimeS!: number;
  @Column('jsonb') inputs!: InputReference[];
  @Column('jsonb') outputs!: OutputReference[];
  /** Directories that the executors share; null where there are none. */
  @Column('text', { array: true, nullable: true }) volumes!: string[] | null;
  @Column('text', { name: 'publish_on' }) publishOn!: PublishOn;
  @Column('jsonb') tags!: Record<string, string>;
  @Column('text', { name: 'requested_enforcement', nullable: true }) requestedEnforcement!: Enforcement | null;
  @Column('text', { name: 'requested_monitoring', nullable: true }) requestedMonitoring!: Monitoring | null;
  /** What a node must offer to run it; null where any node will do. */
  @Column('text', { name: 'needs_monitoring', nullable: true }) needsMonitoring!: Monitoring | null;
  @Column('uuid', { nullable: true }) calibration!: string | null;
  @Column('integer', { nullable: true }) block!: number | null;
  @Column('text', { name: 'error_code', nullable: true }) errorCode!: string | null;
  @Column('text', { name: 'error_message', nullable: true }) errorMessage!: string | null;
  /** The build whose next version it waits for, because a call was refused; null otherwise. */
  @Column('uuid', { name: 'held_build_id', nullable: true }) heldBuildId!: string | null;
  /** The proposed version that its denials are evidence of. */
  @Column('uuid', { name: 'held_version_id', nullable: true }) heldVersionId!: string | null;
  /** When it ends undecided. */
  @Column('timestamptz', { name: 'held_until', nullable: true }) heldUntil!: Date | null;
  /** What was asked for takes as much, in JSON. */
  @Column('bigint', { name: 'request_bytes', transformer: numeric }) requestBytes!: number;
  /** The job that it repeats. */
  @Column('uuid', { name: 'rerun_of', nullable: true }) rerunOf!: string | null;
  /** What it said as a TES task that a job does not have; null for one that came through Porin's own API. */
  @Column('jsonb', { nullable: true }) task!: TaskDetails | null;
  /** Names of secrets of its tenant; null: it names none. */
  @Column('text', { array: true, nullable: true }) secrets!: string[] | null;
  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'queued_at' }) queuedAt!: Date;
  @Column('timestamptz', { name: 'started_at', nullable: true }) startedAt!: Date | null;
  @Column('timestamptz', { name: 'ended_at', nullable: true }) endedAt!: Date | null;
  @Column('timestamptz', { name: 'cancel_requested_at', nullable: true }) cancelRequestedAt!: Date | null;
  /** The manifest of its outputs is stored: it is not canceled any more. */
  @Column('timestamptz', { name: 'publishing_since', nullable: true }) publishingSince!: Date | null;
}

@Entity('executor')
export class Executor {
  @PrimaryColumn('uuid', { name: 'job_id' }) jobId!: string;
  @PrimaryColumn('integer') position!: number;
  @Column('uuid', { name: 'application_id' }) applicationId!: string;
  /** The ad hoc application that it was submitted as, where its image turned out to be another one's. */
  @Column('uuid', { name: 'bound_from', nullable: true }) boundFrom!: string | null;
  @Column('text') image!: string;
  @Column('text', { array: true }) command!: string[];
  @Column('jsonb') environment!: Record<string, string>;
  @Column('text', { name: 'working_directory', nullable: true }) workingDirectory!: string | null;
  @Column('text', { nullable: true }) stdin!: string | null;
  @Column('text', { nullable: true }) stdout!: string | null;
  @Column('text', { nullable: true }) stderr!: string | null;
  @Column('boolean', { name: 'ignore_error' }) ignoreError!: boolean;
  @Column('uuid', { name: 'build_id', nullable: true }) buildId!: string | null;
}

@Entity('attempt')
export class Attempt {
  @PrimaryColumn('uuid', { name: 'job_id' }) jobId!: string;
  @PrimaryColumn('integer') number!: number;
  @Column('uuid', { name: 'node_id' }) nodeId!: string;
  @Column('text') state!: AttemptState;
  @Column('timestamptz', { name: 'lease_expires_at' }) leaseExpiresAt!: Date;
  @Column('text', { name: 'error_code', nullable: true }) errorCode!: string | null;
  @Column('text', { name: 'error_message', nullable: true }) errorMessage!: string | null;
  /** Of its inputs, by place in the job, those that its node had already; bytes that it did not fetch. */
  @Column('jsonb', { name: 'cached_inputs' }) cachedInputs!: readonly {
    readonly input: number;
    readonly bytes: number;
  }[];
  @CreateDateColumn({ type: 'timestamptz', name: 'started_at' }) startedAt!: Date;
  @Column('timestamptz', { name: 'ended_at', nullable: true }) endedAt!: Date | null;
}
