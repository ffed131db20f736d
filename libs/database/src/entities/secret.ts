/** Named secrets of tenants, encrypted under a key that the database does not have. */
import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

@Entity('secret')
export class Secret {
  @PrimaryColumn('text') tenant!: string;
  @PrimaryColumn('text') name!: string;
  @Column('text') kind!: 's3' | 'bearer' | 'basic' | 'headers' | 'registry';
  /** Of the URLs, or of the images, that it opens. */
  @Column('text') prefix!: string;
  /** Ids of principals; null: whoever submits jobs of the tenant. */
  @Column('uuid', { name: 'usable_by', array: true, nullable: true }) usableBy!: string[] | null;
  @Column('text', { name: 'key_id' }) keyId!: string;
  /** See libs/secrets. */
  @Column('bytea') encrypted!: Buffer;
  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'changed_at' }) changedAt!: Date;
  @Column('uuid', { name: 'changed_by' }) changedBy!: string;
}
