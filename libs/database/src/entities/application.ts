/** Applications and their builds: what a profile is for. */
import { type Closure } from '#lib/profiles';
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
  /** What a profile holds beyond the calls that were seen. */
  @Column('text') closure!: Closure;
  /** Exit codes after which a run may teach. */
  @Column('integer', { name: 'expected_exit_codes', array: true }) expectedExitCodes!: number[];
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
  /** Why its recordings, which are enough by their number, are no profile; null where nothing stands in the way. */
  @Column('text', { name: 'learning_problem', nullable: true }) learningProblem!: string | null;
  /** Set: all its recordings are to be looked at again, as if their jobs had ended just now. */
  @Column('timestamptz', { name: 'reconsider_since', nullable: true }) reconsiderSince!: Date | null;
  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' }) createdAt!: Date;
}
