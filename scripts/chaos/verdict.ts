/** Counts what went wrong: a pure function of what was planned, what the database has and what lies in the output directory. */
import { isFinal, type JobState } from '#lib/jobs';
import { type PlannedJob } from './job-plan.js';
import { type PublishedFile } from './output-watch.js';
import { type Submission } from './submitter.js';

/** A row of the database. */
export interface JobFound {
  readonly id: string;
  /** The Idempotency-Key of its submission. */
  readonly key: string;
  readonly state: JobState;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly waitingReason: string | null;
  /** Payloads that ran to their own end, in any attempt. */
  readonly runs: number;
  /** Of its manifest. */
  readonly sha256: string | null;
  readonly isPublished: boolean;
}

export interface Evidence {
  readonly planned: readonly PlannedJob[];
  readonly submissions: readonly Submission[];
  readonly found: readonly JobFound[];
  /** By name. */
  readonly files: ReadonlyMap<string, PublishedFile>;
  /** How often each appeared. */
  readonly appearances: ReadonlyMap<string, number>;
}

/** One thing that must not be, in words. */
export interface Finding {
  readonly key: string;
  readonly what: string;
}

export interface Verdict {
  readonly lost: readonly Finding[];
  readonly publishedTwice: readonly Finding[];
  readonly stuck: readonly Finding[];
  /** Jobs that ended with an error though another node could have run them. */
  readonly systemErrors: readonly Finding[];
}

export function judge(evidence: Evidence): Verdict {
  const submissionOf = new Map(evidence.submissions.map((each) => [each.key, each]));
  const foundOf = new Map<string, JobFound[]>();
  for (const row of evidence.found) foundOf.set(row.key, [...(foundOf.get(row.key) ?? []), row]);
  const verdict = { lost: [], publishedTwice: [], stuck: [], systemErrors: [] } as Record<keyof Verdict, Finding[]>;
  for (const job of evidence.planned) {
    const found = foundOf.get(job.key) ?? [];
    for (const [count, what] of findings(job, submissionOf.get(job.key), found, evidence)) {
      verdict[count].push({ key: `${job.key} (${job.kind})`, what });
    }
  }
  return verdict;
}

type Counted = readonly [keyof Verdict, string];

function findings(
  job: PlannedJob,
  submission: Submission | undefined,
  found: readonly JobFound[],
  { files, appearances }: Evidence,
): readonly Counted[] {
  const [row] = found;
  if (!submission) return [['stuck', 'no API has answered its submission']];
  if (submission.refusal !== undefined) {
    return job.mayBeRefused ? [] : [['systemErrors', `its submission was refused: ${submission.refusal}`]];
  }
  if (!row) return [['lost', `job ${submission.jobId} was accepted and is not there`]];
  const counted: Counted[] = [];
  if (found.length > 1) counted.push(['publishedTwice', `one submission has made ${found.length} jobs`]);
  if (row.id !== submission.jobId)
    counted.push(['lost', `job ${submission.jobId} was accepted, and ${row.id} is there`]);
  if (!isFinal(row.state))
    return [...counted, ['stuck', `it is ${row.state}: ${row.waitingReason ?? 'no reason given'}`]];
  if (!(job.mayEnd as readonly JobState[]).includes(row.state)) {
    counted.push(['systemErrors', `it ended as ${row.state}: ${row.errorCode} ${row.errorMessage ?? ''}`]);
  }
  if (row.state === 'COMPLETE' && row.runs === 0) counted.push(['lost', 'it is COMPLETE, and its payload never ran']);
  return [...counted, ...outputFindings(job, row, files, appearances)];
}

function outputFindings(
  { key, output }: PlannedJob,
  { state, sha256, isPublished }: JobFound,
  files: Evidence['files'],
  appearances: Evidence['appearances'],
): readonly Counted[] {
  if (output === undefined) return [];
  const file = files.get(output);
  const counted: Counted[] = [];
  const times = appearances.get(output) ?? 0;
  if (times > 1) counted.push(['publishedTwice', `its output was put in place ${times} times`]);
  if (state !== 'COMPLETE') {
    if (file) counted.push(['publishedTwice', `it ended as ${state}, and its output is in place`]);
    return counted;
  }
  if (!file) return [...counted, ['lost', 'it is COMPLETE, and its output is not in place']];
  if (!isPublished) counted.push(['lost', 'it is COMPLETE, and the database does not say that its output is in place']);
  if (file.sha256 !== sha256)
    counted.push(['publishedTwice', 'its output is that of another attempt than the complete one']);
  if (!file.text.startsWith(`${key} `))
    counted.push(['lost', `its output is another job's: ${file.text.slice(0, 60)}`]);
  return counted;
}
