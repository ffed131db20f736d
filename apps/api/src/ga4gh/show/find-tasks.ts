/** Finds the tasks that a caller may see, page by page: the jobs of its tenant, or of itself alone. */
import { type JobState } from '#lib/jobs';
import { type EntityManager } from 'typeorm';
import { z } from 'zod';
import { type Caller } from '../../auth/caller.js';
import { PorinError } from '../../errors/porin-error.js';
import { onlySubmitter } from '../../jobs/show/find-jobs.js';
import { BEFORE_ALL, type Place } from './page-token.js';
import { type TaskListQuery } from './task-answers.js';
import { jobStatesOf } from './tes-state.js';

export interface FoundTask {
  readonly id: string;
  readonly state: JobState;
}

export interface TaskPage {
  readonly tasks: readonly FoundTask[];
  /** Where the next page goes on; undefined where nothing follows. */
  readonly end: Place | undefined;
}

/**
 * Jobs that are looked at for one page. A filter that few of them pass makes a shorter page, which may be empty and has a
 * token, and not a longer wait.
 */
const SCANNED_MAXIMUM = 20_000;
/** Of the requests of a page whose tasks are shown with all that was sent; one task is shown however large it is. */
const SHOWN_BYTES = 8 * 1024 ** 2;
/** With what executors printed. */
const FULL_PAGE_MAXIMUM = 256;

interface FoundRow extends FoundTask, Place {
  readonly requestBytes: number;
}

/** $1: tenant; $2: submitter or null; $3 and $4: the place after which it goes on. In the order of the index job_by_tenant. */
const AFTER = `'epoch'::timestamptz + $3::bigint * interval '1 microsecond'`;
const scan = (part: string) => `SELECT id, created_at, state, name, tags, submitted_by, request_bytes FROM job
  WHERE tenant = $1 AND created_at <= ${AFTER} AND (created_at < ${AFTER} OR id > $4::uuid)
  ORDER BY created_at DESC, id ${part}`;
const IS_WANTED = `($2::uuid IS NULL OR submitted_by = $2) AND ($5::text IS NULL OR starts_with(name, $5))
  AND ($6::text[] IS NULL OR state = ANY ($6)) AND tags @> $7::jsonb AND tags ?& $8::text[]`;
const PLACE = `'id', id, 'createdUs', (extract(epoch FROM created_at) * 1000000)::bigint::text`;

/**
 * One snapshot for both: the tasks, and, where fewer were found than asked for, the last job that was looked at if there may be
 * more behind it.
 */
const PAGE = `WITH page AS (
    SELECT * FROM (${scan(`LIMIT ${SCANNED_MAXIMUM}`)}) AS scanned WHERE ${IS_WANTED} ORDER BY created_at DESC, id LIMIT $9
  )
  SELECT (SELECT coalesce(json_agg(
      json_build_object(${PLACE}, 'state', state, 'requestBytes', request_bytes) ORDER BY created_at DESC, id), '[]') FROM page) AS found,
    CASE WHEN (SELECT count(*) FROM page) < $9 THEN (
      SELECT json_build_object(${PLACE}) FROM (${scan(`LIMIT 1 OFFSET ${SCANNED_MAXIMUM - 1}`)}) AS scanned
    ) END AS last`;

/** Newest first. What was there when the first page was asked for is on one page and no more, whatever comes or runs meanwhile. */
export async function findTasks(manager: EntityManager, caller: Caller, query: TaskListQuery): Promise<TaskPage> {
  const { namePrefix, state, tags, after = BEFORE_ALL, view } = query;
  const pageSize = view === 'FULL' ? Math.min(query.pageSize, FULL_PAGE_MAXIMUM) : query.pageSize;
  const [row]: [{ found: readonly FoundRow[]; last: Place | null }] = await manager.query(PAGE, [
    caller.tenant,
    onlySubmitter(caller),
    after.createdUs,
    after.id,
    namePrefix ?? null,
    state === undefined ? null : jobStatesOf(state),
    JSON.stringify(tags.exact),
    tags.keys,
    pageSize + 1,
  ]);
  const shown = row.found.slice(0, view === 'MINIMAL' ? pageSize : Math.min(pageSize, countWithin(row.found)));
  const hasMore = shown.length < row.found.length;
  return { tasks: shown, end: hasMore ? shown.at(-1) : (row.last ?? undefined) };
}

/** How many of them fit on a page, one at least. */
function countWithin(found: readonly FoundRow[]): number {
  let bytes = 0;
  const tooMany = found.findIndex(({ requestBytes }, index) => {
    bytes += requestBytes;
    return index > 0 && bytes > SHOWN_BYTES;
  });
  return tooMany === -1 ? found.length : tooMany;
}

const FIND = `SELECT id, state FROM job WHERE id = $1 AND tenant = $2 AND ($3::uuid IS NULL OR submitted_by = $3)`;

/** Throws not-found, for a task that the caller may not see too. */
export async function findTask(manager: EntityManager, caller: Caller, id: string): Promise<FoundTask> {
  const isId = z.uuid().safeParse(id).success;
  const [task]: (FoundTask | undefined)[] = isId
    ? await manager.query(FIND, [id, caller.tenant, onlySubmitter(caller)])
    : [];
  if (!task) throw new PorinError('not-found', `There is no task ${id.slice(0, 100)}.`);
  return task;
}
