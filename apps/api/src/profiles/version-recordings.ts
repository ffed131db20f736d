/** The recordings behind a profile version, for what is derived from them in its review. */
import { type ProfileVersion } from '#lib/database';
import { type Architecture, type Recording } from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { readStoredRecording } from './stored-recording.js';

/** Of their stored sizes together: they are in memory at once. */
const RECORDINGS_BYTES = 16 * 1024 ** 2;

/** The newest, as many as the bound allows; those that cannot be believed are left out. */
export async function recordingsOf(
  manager: EntityManager,
  version: Pick<ProfileVersion, 'id'>,
  architecture: Architecture,
): Promise<readonly Recording[]> {
  const rows: { digest: string; content: unknown }[] = await manager.query(
    `WITH newest AS (
       SELECT recording.executor_run_id,
         sum(pg_column_size(content)) OVER (ORDER BY created_at DESC, recording.executor_run_id) AS bytes
       FROM profile_version_recording AS link JOIN recording ON recording.executor_run_id = link.executor_run_id
       WHERE link.profile_version_id = $1
     )
     SELECT digest, content FROM newest JOIN recording USING (executor_run_id) WHERE bytes <= $2`,
    [version.id, RECORDINGS_BYTES],
  );
  return rows.flatMap((row) => {
    const recording = readStoredRecording(row, architecture);
    return typeof recording === 'string' ? [] : [recording];
  });
}
