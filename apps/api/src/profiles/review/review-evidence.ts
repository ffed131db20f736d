/** Reads what is behind a profile version: who saw each call, in which run first and last, and what was denied. */
import { CALL_CLASSES, type CallClass, denialClass } from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { type z } from 'zod';
import { type profileReview } from './review-answer.js';

type Review = z.input<typeof profileReview>;
type CallEvidence = Pick<Review['calls'][number], 'coverage' | 'firstRun' | 'lastRun'>;

const EVIDENCE_MAXIMUM = 200;
/** Read for it: the first uses of every call, so that no flood of one hides another. */
const DENIALS_READ = 5000;
/** Of the words that tell a denial's class, characters. */
const WORD_CHARACTERS = 64;
const NEVER = { seenIn: 0, of: 0 };

/** The runs whose recordings are behind the version $1, as far as their recordings are kept. */
const LINKED = `linked AS (
  SELECT run.id, run.job_id, run.node_id, run.started_at, job.submitted_by, recording.call_names,
    coalesce(nullif(run.data_digest, ''), run.inputs_digest) AS input
  FROM profile_version_recording AS link JOIN executor_run AS run ON run.id = link.executor_run_id
  JOIN recording ON recording.executor_run_id = run.id JOIN job ON job.id = run.job_id
  WHERE link.profile_version_id = $1 AND recording.call_names IS NOT NULL AND recording.problem IS NULL
)`;

type Counts = Readonly<Record<'recordings' | 'inputs' | 'submitters' | 'nodes', number>>;
interface Place {
  readonly runId: string;
  readonly jobId: string;
  readonly at: string;
}

const COUNTS = `count(*)::int AS recordings, count(DISTINCT input)::int AS inputs,
  count(DISTINCT submitted_by)::int AS submitters, count(DISTINCT node_id)::int AS nodes`;

/** By call; a call that none of the recordings has was seen in none of them. */
export async function callEvidence(manager: EntityManager, versionId: string): Promise<(call: string) => CallEvidence> {
  const [all]: [Counts] = await manager.query(`WITH ${LINKED} SELECT ${COUNTS} FROM linked`, [versionId]);
  const place = `jsonb_build_object('runId', id, 'jobId', job_id, 'at', started_at)`;
  const rows: (Counts & { readonly name: string; readonly first: Place; readonly last: Place })[] = await manager.query(
    `WITH ${LINKED}
     SELECT name, ${COUNTS}, (array_agg(${place} ORDER BY started_at, id))[1] AS first,
       (array_agg(${place} ORDER BY started_at DESC, id DESC))[1] AS last
     FROM linked, unnest(call_names) AS name GROUP BY name`,
    [versionId],
  );
  const byName = new Map(rows.map((row) => [row.name, row]));
  return (call) => {
    const seen = byName.get(call);
    const shareOf = (of: keyof Counts) => (all[of] === 0 ? NEVER : { seenIn: seen?.[of] ?? 0, of: all[of] });
    return {
      coverage: {
        recordings: shareOf('recordings'),
        inputs: shareOf('inputs'),
        submitters: shareOf('submitters'),
        nodes: shareOf('nodes'),
      },
      firstRun: seen ? placeOf(seen.first) : null,
      lastRun: seen ? placeOf(seen.last) : null,
    };
  };
}

interface DenialRow {
  readonly call: string;
  readonly description: string;
  readonly architecture: string;
  readonly errno: string | null;
  readonly count: number;
  readonly runs: number;
  readonly first: Place & { readonly executor: number; readonly position: number };
  readonly submitters: string[];
}

/** Of the runs whose denials or recordings are behind the version. */
export async function denialEvidence(manager: EntityManager, versionId: string): Promise<Review['evidence']> {
  const rows: DenialRow[] = await manager.query(
    `WITH behind AS (
       SELECT executor_run_id FROM profile_version_denial WHERE profile_version_id = $1
       UNION SELECT executor_run_id FROM profile_version_recording WHERE profile_version_id = $1
     ), denied AS (
       SELECT left(call, $2) AS call, description, left(coalesce(shape->>'architecture', job.architecture), $2) AS architecture,
         left(shape->>'errno', $2) AS errno,
         least(sum(count), ${Number.MAX_SAFE_INTEGER})::float8 AS count, count(DISTINCT run.id)::int AS runs,
         (array_agg(jsonb_build_object('runId', run.id, 'jobId', job.id, 'at', run.started_at, 'executor', run.position,
           'position', denial.position) ORDER BY run.started_at, run.id, denial.position))[1] AS first,
         array_agg(DISTINCT job.submitted_by) AS submitters
       FROM behind JOIN executor_run AS run ON run.id = behind.executor_run_id JOIN job ON job.id = run.job_id
       JOIN denial ON denial.executor_run_id = run.id
       GROUP BY 1, 2, 3, 4
     ), placed AS (
       SELECT *, row_number() OVER (PARTITION BY call, architecture, errno ORDER BY count DESC, description) AS place FROM denied
     )
     SELECT call, description, architecture, errno, count, runs, first, submitters FROM placed ORDER BY place LIMIT $3`,
    [versionId, WORD_CHARACTERS, DENIALS_READ],
  );
  return rows
    .map(({ architecture, ...row }) => ({
      ...row,
      class: denialClass({ ...row, architecture }),
      first: { ...row.first, at: new Date(row.first.at) },
    }))
    .sort((a, b) => rank(b.class) - rank(a.class) || b.count - a.count || (a.description < b.description ? -1 : 1))
    .slice(0, EVIDENCE_MAXIMUM);
}

function placeOf({ runId, jobId, at }: Place) {
  return { runId, jobId, at: new Date(at) };
}

function rank(of: CallClass | null): number {
  return of === null ? -1 : CALL_CLASSES.indexOf(of);
}
