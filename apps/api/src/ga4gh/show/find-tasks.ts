/** Finds the tasks that a caller may see, page by page: the jobs of its tenant, or of itself alone. */
import { type JobState } from '#lib/jobs';
import { type EntityManager } from 'typeorm';
import { z } from 'zod';
import { type Caller } from '../../auth/caller.js';
import { PorinError } from '../../errors/porin-error.js';
import { onlySubmitter } from '../../jobs/show/find-jobs.js';
import { BEFORE_ALL, type Place } from './page-token.js';
import { PRINTED_BYTES_OF_PAGE } from './read-tasks.js';
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
/** Of a page whose tasks are shown with all that was sent and printed; one task is shown however large it is. */
const SHOWN_BYTES = 8 * 1024 ** 2;
/** With what executors printed. */
const FULL_PAGE_MAXIMUM = 256;

interface ScannedRow extends FoundTask, Place {
  readonly requestBytes: number;
  /** None is counted unless the page shows what they printed. */
  readonly executors: number;
  /** Some output of it is a directory or pattern: only what was published tells how much there is to show. */
  readonly selects: boolean;
  readonly isWanted: boolean;
  /** Of the jobs that were looked at: there may be more behind it. */
  readonly isLast: boolean;
}

/** $1: tenant; $2: submitter or null; $3 and $4: the place after which it goes on. */
const AFTER = `'epoch'::timestamptz + $3::bigint * interval '1 microsecond'`;
const ORDER = 'ORDER BY created_at DESC, id';
/** In the order of an index, job_by_tenant or job_by_submitter: no more of it is read than a page needs. */
const page = (
  whose: string,
) => `SELECT id, state, (extract(epoch FROM created_at) * 1000000)::bigint::text AS "createdUs",
    request_bytes::float8 AS "requestBytes", is_wanted AS "isWanted", is_last AS "isLast",
    CASE WHEN $10 THEN (SELECT count(*)::integer FROM executor WHERE job_id = looked_at.id) ELSE 0 END AS executors,
    $11 AND (SELECT jsonb_path_exists(outputs, '$[*] ? (@.type == "DIRECTORY" || exists(@.pathPrefix))') FROM job WHERE job.id = looked_at.id)
      AS selects
  FROM (
    SELECT *, number = ${SCANNED_MAXIMUM} AS is_last, ($5::text IS NULL OR starts_with(name, $5)) AND ($6::text[] IS NULL OR state = ANY ($6))
      AND tags @> ALL ($7::jsonb[]) AND tags ?& $8::text[] AS is_wanted
    FROM (
      SELECT id, created_at, state, name, tags, request_bytes, row_number() OVER (${ORDER}) AS number FROM job
      WHERE ${whose} AND created_at <= ${AFTER} AND (created_at < ${AFTER} OR id > $4::uuid)
      ${ORDER} LIMIT ${SCANNED_MAXIMUM}
    ) AS scanned
  ) AS looked_at WHERE is_wanted OR is_last ${ORDER} LIMIT $9`;
const PAGES = {
  ofTenant: page('tenant = $1 AND $2::uuid IS NULL'),
  ofSubmitter: page('tenant = $1 AND submitted_by = $2::uuid'),
} as const;

/** Newest first. What was there when the first page was asked for is on one page and no more, whatever comes or runs meanwhile. */
export async function findTasks(manager: EntityManager, caller: Caller, query: TaskListQuery): Promise<TaskPage> {
  const { namePrefix, state, tags, after = BEFORE_ALL, view } = query;
  const pageSize = view === 'FULL' ? Math.min(query.pageSize, FULL_PAGE_MAXIMUM) : query.pageSize;
  const submitter = onlySubmitter(caller);
  const rows: readonly ScannedRow[] = await manager.query(submitter === null ? PAGES.ofTenant : PAGES.ofSubmitter, [
    caller.tenant,
    submitter,
    after.createdUs,
    after.id,
    namePrefix ?? null,
    state === undefined ? null : jobStatesOf(state),
    tags.exact.map((pair) => JSON.stringify(pair)),
    tags.keys,
    pageSize + 1,
    view === 'FULL',
    view !== 'MINIMAL',
  ]);
  const found = rows.filter(({ isWanted }) => isWanted);
  const fitting = found.slice(0, view === 'MINIMAL' ? pageSize : Math.min(pageSize, countWithin(found)));
  const shown = fitting.slice(0, await countWithinFiles(manager, fitting));
  const hasMore = shown.length < found.length;
  return { tasks: shown, end: hasMore ? shown.at(-1) : rows.find(({ isLast }) => isLast) };
}

/** How many of them fit on a page, one at least. */
function countWithin(found: readonly ScannedRow[]): number {
  let bytes = 0;
  const tooMany = found.findIndex(({ requestBytes, executors }, index) => {
    bytes += requestBytes + executors * PRINTED_BYTES_OF_PAGE;
    return index > 0 && bytes > SHOWN_BYTES;
  });
  return tooMany === -1 ? found.length : tooMany;
}

/** Of tasks whose files are counted at once, each of which may have 10,000. */
const COUNTED_AT_ONCE = 16;
const FILES_BYTES = `SELECT job_id AS id, sum(octet_length(path) + octet_length(url) + 100)::float8 AS bytes FROM job_output
  WHERE job_id = ANY ($1::uuid[]) AND published_at IS NOT NULL GROUP BY job_id`;

/** The same, by the files of their directories and patterns. */
async function countWithinFiles(manager: EntityManager, found: readonly ScannedRow[]): Promise<number> {
  const selecting = found.filter(({ selects }) => selects);
  let bytes = 0;
  for (let at = 0; at < selecting.length; at += COUNTED_AT_ONCE) {
    const some = selecting.slice(at, at + COUNTED_AT_ONCE);
    const counted: { id: string; bytes: number }[] = await manager.query(FILES_BYTES, [some.map(({ id }) => id)]);
    for (const task of some) {
      bytes += counted.find(({ id }) => id === task.id)?.bytes ?? 0;
      const index = found.indexOf(task);
      if (index > 0 && bytes > SHOWN_BYTES) return index;
    }
  }
  return found.length;
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
