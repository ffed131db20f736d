/** The API's answers in words: a job's progress, a profile under review, denials, the overhead table. */
import {
  closedVulnerabilities,
  closedWithConditions,
  engineDefaultNames,
  parseProfile,
  plainRules,
  VULNERABILITIES,
} from '#lib/profiles';
import {
  type Denial,
  type DiffAnswer,
  type JobAnswer,
  type LevelAnswer,
  type ProfileAnswer,
  type ReviewAnswer,
} from './answers.js';
import { counted, seconds, table, wrap } from './text.js';

const LINE_WIDTH = 100;

/** Refused calls that no dangerous one was among: the job publishes nothing, and waits for a decision about them. */
export function isHeld({ state, waitingReason }: JobAnswer): boolean {
  return state === 'QUEUED' && waitingReason === 'waiting-for-profile-decision';
}

/** Where a job is, in one line; the same line again means that nothing has changed. */
export function progress(job: JobAnswer): string {
  const attempt = job.attempts.at(-1);
  const again = attempt && attempt.number > 1 ? `, attempt ${attempt.number}` : '';
  const where = attempt ? ` on ${attempt.node}${again}` : '';
  switch (job.state) {
    case 'QUEUED':
      return job.waitingReasonText ?? job.waitingReason ?? 'waits';
    case 'INITIALIZING':
      return `is being prepared${where}`;
    case 'RUNNING':
      return `runs${where}`;
    case 'COMPLETE':
      return `complete${where}${payloadTime(job)}`;
    default:
      return [job.state, ...(job.errorCode === null ? [] : [`${job.errorCode}: ${job.errorMessage ?? ''}`])].join(', ');
  }
}

function payloadTime({ runs }: JobAnswer): string {
  const wallUs = runs.at(-1)?.wallUs ?? null;
  return wallUs === null ? '' : `, the payload took ${seconds(wallUs)}`;
}

/** What a reviewer looks at before deciding. */
export function profileLines(profile: ProfileAnswer, { previous, engineDefault }: DiffAnswer): string[] {
  const calls = Object.keys(profile.coverage).length;
  return [
    `version ${profile.number}, ${profile.digest}`,
    `${counted(calls, 'system call')}, learned from ${counted(profile.recordings.length, 'recording')}`,
    ...coverageLines(profile.coverage),
    ...(previous ? [`against the version before: ${diffWords(previous)}`] : []),
    `against Docker's default profile: ${diffWords(engineDefault)}`,
    vulnerabilityLine(profile),
    ...(profile.lint.length === 0 ? ['no warnings'] : ['warnings for the reviewer:']),
    ...profile.lint.map(({ name, kind, reason }) => `  ${kind}: ${name} ${reason}`),
  ];
}

/** The calls by how many recordings they were seen in, the most common first; of those in none, how many there are. */
function coverageLines(coverage: ProfileAnswer['coverage']): string[] {
  const groups = new Map<string, { seenIn: number; names: string[] }>();
  const unseen = Object.values(coverage).filter(({ seenIn }) => seenIn === 0).length;
  for (const [name, { seenIn, of }] of Object.entries(coverage)) {
    if (seenIn === 0) continue;
    const key = `seen in ${seenIn} of ${of}:`;
    const group = groups.get(key) ?? { seenIn, names: [] };
    group.names.push(name);
    groups.set(key, group);
  }
  const lines = [...groups]
    .sort(([, a], [, b]) => b.seenIn - a.seenIn)
    .flatMap(([key, { names }]) => [key, ...wrap(names.sort(), LINE_WIDTH).map((line) => `  ${line}`)]);
  const others = `${unseen} more that any program may make, or that are of a family that was seen`;
  return unseen === 0 ? lines : [...lines, others];
}

/** Of how many known vulnerabilities of the kernel no call is left, or none with the arguments that they need. */
function vulnerabilityLine({ profile }: ProfileAnswer): string {
  const parsed = parseProfile(JSON.stringify(profile));
  const byDefault = closedVulnerabilities({ ...parsed, rules: plainRules(engineDefaultNames(parsed.architecture)) });
  return [
    `known kernel vulnerabilities closed: ${closedVulnerabilities(parsed).length} of ${VULNERABILITIES.length}`,
    `${closedWithConditions(parsed).length} with the conditions on arguments`,
    `${byDefault.length} by Docker's default profile`,
  ].join(', ');
}

function diffWords({ added, removed, unchanged }: DiffAnswer['engineDefault']): string {
  const extra = added.length === 0 ? 'adds none' : `adds ${added.join(', ')}`;
  return `keeps ${counted(unchanged.length, 'call')}, takes away ${removed.length}, ${extra}`;
}

export function denialLine({ description, action, errno, count, class: of, arguments: values }: Denial): string {
  const answer = errno ? `${action} with ${errno}` : action;
  return `${description} was ${answer}, ${counted(count, 'time')} (${of ?? 'a probe'}; arguments ${values.join(' ')})`;
}

/** What a version adds to the approved one, with its evidence. */
export function additionLines({ calls, evidence }: ReviewAnswer): string[] {
  const added = calls.filter(({ change, origin }) => change === 'added' && origin?.origin !== 'implied');
  const implied = calls.filter(({ change, origin }) => change === 'added' && origin?.origin === 'implied');
  return [
    ...added.map(({ name, class: of, origin, allows }) => `adds ${name} (${of}, ${origin?.origin ?? ''}): ${allows}`),
    ...(implied.length === 0 ? [] : [`and, of the same family, ${implied.map(({ name }) => name).join(', ')}`]),
    ...evidence.map(({ description, runs }) => `evidence: ${description}, refused in ${counted(runs, 'run')}`),
  ];
}

export function overheadLines(levels: readonly LevelAnswer[]): string[] {
  const rows = levels.map(({ level, n, medianWallUs, ratio, comparedRuns, reason }) => [
    ...[level.enforcement, level.monitoring, String(n), seconds(medianWallUs), String(comparedRuns)],
    ratio === null ? `none: ${reason ?? ''}` : ratio.toFixed(3),
  ]);
  const heading = ['enforcement', 'monitoring', 'runs', 'median payload', 'compared', 'ratio to (none, none)'];
  return table([heading, ...rows], [2, 3, 4]);
}
