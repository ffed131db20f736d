/** The recordings that a review looks at: those behind a profile version, or others that are chosen by a query. */
import { type ProfileVersion } from '#lib/database';
import { type Architecture, type Recording } from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { readStoredRecording } from '#lib/store';

/** Of their JSON texts together: they are in memory at once, and other requests wait meanwhile. */
const RECORDINGS_BYTES = 32 * 1024 ** 2;

/** The newest, as many as the bound allows; those that cannot be believed are left out. */
export function recordingsOf(
  manager: EntityManager,
  version: Pick<ProfileVersion, 'id'>,
  architecture: Architecture,
): Promise<readonly Recording[]> {
  const behind = `SELECT executor_run_id FROM profile_version_recording WHERE profile_version_id = $1`;
  return readRecordings(manager, architecture, behind, [version.id]);
}

/** `runs`: a query of the ids of executor runs, with its parameters. Bounded as recordingsOf is, the newest first. */
export async function readRecordings(
  manager: EntityManager,
  architecture: Architecture,
  runs: string,
  parameters: readonly unknown[],
): Promise<readonly Recording[]> {
  const rows: { digest: string; content: Recording; checked: boolean }[] = await manager.query(
    `WITH newest AS (
       SELECT recording.executor_run_id,
         sum(content_bytes) OVER (ORDER BY created_at DESC, recording.executor_run_id) AS bytes
       FROM recording WHERE recording.executor_run_id IN (${runs})
     )
     SELECT digest, content, call_names IS NOT NULL AND problem IS NULL AS checked
     FROM newest JOIN recording USING (executor_run_id) WHERE bytes <= $${parameters.length + 1}`,
    [...parameters, RECORDINGS_BYTES],
  );
  return rows.flatMap((row) => {
    if (row.checked) return [row.content];
    const recording = readStoredRecording(row, architecture);
    return typeof recording === 'string' ? [] : [recording];
  });
}
