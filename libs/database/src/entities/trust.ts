/** API keys, nodes and the audit trail. */
import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { numeric } from './numeric.js';

export type Role = 'submitter' | 'reviewer' | 'admin';

@Entity('api_key')
export class ApiKey {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column('text') tenant!: string;
  @Column('text') name!: string;
  @Column('text') role!: Role;
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
