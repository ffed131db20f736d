/** Principals and their API keys, nodes and the audit trail. */
import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { numeric } from './numeric.js';

/** Of a tenant's keys. */
export type Role = 'submitter' | 'reviewer' | 'admin';
/** An operator runs the grid, and belongs to no tenant. */
export type KeyRole = Role | 'operator';

export const PRINCIPAL_KINDS = ['person', 'service'] as const;
export type PrincipalKind = (typeof PRINCIPAL_KINDS)[number];

/** Who acts: jobs, decisions and the audit trail name it, whatever key it used. */
@Entity('principal')
export class Principal {
  @PrimaryGeneratedColumn('uuid') id!: string;
  /** Null: an operator. */
  @Column('text', { nullable: true }) tenant!: string | null;
  @Column('text') kind!: PrincipalKind;
  @Column('text') name!: string;
  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' }) createdAt!: Date;
  /** Of its share within the tenant. */
  @Column('integer') weight!: number;
  /** None of its keys counts since then. */
  @Column('timestamptz', { name: 'disabled_at', nullable: true }) disabledAt!: Date | null;
}

@Entity('api_key')
export class ApiKey {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column('uuid', { name: 'principal_id' }) principalId!: string;
  @Column('text') name!: string;
  @Column('text') role!: KeyRole;
  /** SHA-256 of the key; the key itself is shown once and never stored. */
  @Column('bytea') sha256!: Buffer;
  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'expires_at' }) expiresAt!: Date;
  @Column('timestamptz', { name: 'revoked_at', nullable: true }) revokedAt!: Date | null;
  @Column('timestamptz', { name: 'last_used_at', nullable: true }) lastUsedAt!: Date | null;
}

@Entity('node')
export class NodeRow {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column('text') name!: string;
  @Column('text') architecture!: string;
  @Column('text') state!: 'READY' | 'DRAINING' | 'GONE';
  @Column('integer') slots!: number;
  @Column('integer', { name: 'cpu_milli' }) cpuMilli!: number;
  @Column('bigint', { name: 'memory_bytes', transformer: numeric }) memoryBytes!: number;
  @Column('bigint', { name: 'disk_bytes', transformer: numeric }) diskBytes!: number;
  @Column('text', { name: 'offered_monitorings', array: true }) offeredMonitorings!: string[];
  @Column('jsonb') facts!: Record<string, unknown>;
  @Column('timestamptz', { name: 'started_at' }) startedAt!: Date;
  @Column('timestamptz', { name: 'heartbeat_at' }) heartbeatAt!: Date;
  /** The dispatcher's verdict; null while the node is well. */
  @Column('timestamptz', { name: 'suspect_since', nullable: true }) suspectSince!: Date | null;
  @Column('text', { name: 'suspect_reason', nullable: true }) suspectReason!: string | null;
}

@Entity('audit')
export class Audit {
  @PrimaryGeneratedColumn('identity', { type: 'bigint' }) id!: string;
  @CreateDateColumn({ type: 'timestamptz' }) at!: Date;
  @Column('text') tenant!: string;
  @Column('text') actor!: string;
  @Column('text') action!: string;
  @Column('text', { name: 'subject_type' }) subjectType!: string;
  @Column('text', { name: 'subject_id' }) subjectId!: string;
  @Column('jsonb') detail!: Record<string, unknown>;
}
