/** Checks recordings that workers have stored, each once, and writes down what it found: nothing unchecked teaches. */
import { type Architecture, recordedNames } from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { readStoredRecording } from './stored-recording.js';
import { RECORDED_RUNS, VERDICT } from './verdict.js';

/** Of one recording's JSON text: beyond what a worker of ours stores (apps/worker/src/run/bounded-recording.ts). */
export const RECORDING_MAXIMUM_BYTES = 32 * 1024 ** 2;
/** Of those that are in memory at once. The rest follows when the build is considered next. */
const AT_ONCE_BYTES = 64 * 1024 ** 2;

export interface Unbelievable {
  readonly executorRunId: string;
  readonly problem: string;
}

interface Row {
  readonly executorRunId: string;
  readonly digest: string;
  /** Null where it is too large to be looked at. */
  readonly content: unknown;
}

/** Of the build, those that would teach; a worker cannot change what it has stored, so what was believed once stays so. */
export async function checkRecordings(
  manager: EntityManager,
  build: { readonly id: string; readonly architecture: Architecture },
): Promise<readonly Unbelievable[]> {
  const rows: Row[] = await manager.query(
    `WITH unchecked AS (
       SELECT run.id, sum(least(content_bytes, $2)) OVER (ORDER BY recording.created_at, run.id) AS bytes
       FROM ${RECORDED_RUNS} WHERE build.id = $1 AND ${VERDICT} = 'unchecked'
     )
     SELECT unchecked.id AS "executorRunId", digest, CASE WHEN content_bytes <= $2 THEN content END AS content
     FROM unchecked JOIN recording ON recording.executor_run_id = unchecked.id WHERE bytes <= $3`,
    [build.id, RECORDING_MAXIMUM_BYTES, AT_ONCE_BYTES],
  );
  const found = rows.map((row) => ({ executorRunId: row.executorRunId, ...check(row, build.architecture) }));
  if (found.length > 0) {
    await manager.query(
      `UPDATE recording SET call_names = ARRAY(SELECT jsonb_array_elements_text(found.names)),
         problem = found.problem
       FROM jsonb_to_recordset($1) AS found("executorRunId" uuid, names jsonb, problem text)
       WHERE recording.executor_run_id = found."executorRunId"`,
      [JSON.stringify(found)],
    );
  }
  return found.flatMap(({ executorRunId, problem }) => (problem === null ? [] : [{ executorRunId, problem }]));
}

function check({ digest, content }: Row, architecture: Architecture) {
  const recording = content === null ? 'it is larger than any' : readStoredRecording({ digest, content }, architecture);
  if (typeof recording === 'string') return { names: [], problem: recording };
  // The row's reasons are what the database selects by.
  if (recording.partialReasons.length > 0)
    return { names: [], problem: 'it is partial, and its row says that it is not' };
  return { names: recordedNames(recording), problem: null };
}
