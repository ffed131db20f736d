/** What becomes of a job after one of its runs: it goes on, fails, or waits for the decision about what it was refused. */
import { type Denial, type ExecutorRunReport } from '#lib/execution';
import { isIgnorable, JobError } from '#lib/jobs';
import { consequenceOf, denialClass } from '#lib/profiles';
import { type PlannedExecutor } from '../plan/plan.js';
import { isStoppedByOthers, outcomeError, type RunFacts } from './job-errors.js';

export type RunVerdict =
  | { readonly kind: 'go-on'; readonly error?: undefined }
  | { readonly kind: 'fail'; readonly error: JobError }
  /** Until an administrator has decided about the next version; `error` is what it was refused. */
  | { readonly kind: 'hold'; readonly error: JobError };

/** Denials that a message names, at most. */
const NAMED = 3;

/**
 * `denials`: what the run was refused, and what it was not. A refusal comes before what the payload made of it. Without a
 * profile, nothing was beside it. `lostOutput`: why what the payload printed is not all in its files.
 */
export function runVerdict(
  report: ExecutorRunReport,
  denials: readonly Denial[],
  { onDenial, level }: Pick<PlannedExecutor, 'onDenial' | 'level'>,
  { lostOutput, ...facts }: RunFacts & { readonly lostOutput?: JobError | undefined },
): RunVerdict {
  const own = outcomeError(report, facts);
  // What the payload made of the loss is no more than its consequence.
  const error = lostOutput && (!own || isIgnorable(own.code)) ? lostOutput : own;
  if (error && (isStoppedByOthers(report.outcome) || error.code === 'unsupported-abi')) return { kind: 'fail', error };
  const classed = denials.map((denial) => ({ ...denial, class: denialClass(denial) }));
  const consequence = level.enforcement === 'none' ? 'none' : consequenceOf(classed, onDenial);
  if (consequence === 'none') return error ? { kind: 'fail', error } : { kind: 'go-on' };
  const refused = classed.filter((denial) => denial.class !== null && denial.action !== 'continued');
  const isStorm = report.outcome.kind === 'stopped' && report.outcome.reason === 'denial-storm';
  const said = isStorm && error ? error : JobError.of('denied', { detail: wordsOf(refused) });
  return { kind: consequence === 'hold' ? 'hold' : 'fail', error: said };
}

function wordsOf(denials: readonly Denial[]): string {
  const named = denials.slice(0, NAMED).map(({ description, errno = '' }) => `${description} ${errno}`.trim());
  const more = denials.length - named.length;
  return `${named.join('; ')}${more > 0 ? `; and ${more} more` : ''}.`;
}
