/** Applications and their builds: what a profile is for. */
import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn } from 'typeorm';

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
  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' }) createdAt!: Date;
}
