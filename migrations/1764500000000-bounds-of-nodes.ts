/** Numbers that nodes write have bounds in the tables too; what is beyond them by now is cut to them. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

/** The most that a JSON number tells exactly. */
const NUMBER = 9_007_199_254_740_991;
/** Of one log or trace. */
const ARTIFACT_BYTES = 1024 ** 3;

type Bounds = Readonly<Record<string, number>>;
const BOUNDS: Readonly<Record<string, Bounds>> = {
  artifact: { bytes: ARTIFACT_BYTES, dropped_bytes: NUMBER },
  denial: { count: NUMBER },
  executor_run: {
    wall_us: NUMBER,
    user_us: NUMBER,
    system_us: NUMBER,
    max_rss_bytes: NUMBER,
    voluntary_switches: NUMBER,
    involuntary_switches: NUMBER,
    call_count: NUMBER,
    denials_dropped: NUMBER,
  },
  job_output: { bytes: NUMBER },
  node: { memory_bytes: NUMBER, disk_bytes: NUMBER },
};

function boundsOf(table: string, bounds: Bounds): string {
  const columns = Object.entries(bounds);
  const isBeyond = columns.map(([column, most]) => `${column} NOT BETWEEN 0 AND ${most}`).join(' OR ');
  // Of a null, greatest() would make 0.
  const cut = columns.map(
    ([column, most]) => `${column} = CASE WHEN ${column} IS NOT NULL THEN least(greatest(${column}, 0), ${most}) END`,
  );
  const checks = columns.map(
    ([column, most]) => `ADD CONSTRAINT ${table}_${column}_bounds CHECK (${column} BETWEEN 0 AND ${most})`,
  );
  return `UPDATE ${table} SET ${cut.join(', ')} WHERE ${isBeyond};
ALTER TABLE ${table} ${checks.join(', ')};`;
}

export class BoundsOfNodes1764500000000 implements MigrationInterface {
  name = 'BoundsOfNodes1764500000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const [table, bounds] of Object.entries(BOUNDS)) await queryRunner.query(boundsOf(table, bounds));
  }

  down = noWayBack;
}
