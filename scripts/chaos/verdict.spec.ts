import { describe, expect, it } from 'vitest';
import { planJobs } from './job-plan.js';
import { type Evidence, type JobFound, judge, type Verdict } from './verdict.js';

const place = { image: 'lab/test:1', inputs: '/in', outputs: '/out', largeBytes: 2 ** 31 };
const planned = planJobs(200, 60_000, 1, place);
const ofKind = (kind: string) => planned.find((job) => job.kind === kind) ?? planned[0]!;
const output = ofKind('output');
const file = { text: `${output.key} none 1\n`, sha256: 'a' };
const complete: JobFound = {
  ...{ id: 'job-1', key: output.key, state: 'COMPLETE', runs: 1, sha256: 'a', isPublished: true },
  ...{ errorCode: null, errorMessage: null, waitingReason: null },
};
const well: Evidence = {
  planned: [output],
  submissions: [{ key: output.key, jobId: 'job-1', refusal: undefined }],
  found: [complete],
  files: new Map([[output.key, file]]),
  appearances: new Map([[output.key, 1]]),
};
const counts = (evidence: Evidence) =>
  Object.fromEntries(
    Object.entries(judge(evidence) as Record<keyof Verdict, readonly unknown[]>).map(([name, all]) => [
      name,
      all.length,
    ]),
  );
const none = { lost: 0, publishedTwice: 0, stuck: 0, systemErrors: 0 };
const row = (changes: Partial<JobFound>) => ({ found: [{ ...complete, ...changes }] });

describe('the count of chaos', () => {
  it('finds nothing where every job ended as it should', () => {
    expect(counts(well)).toEqual(none);
  });

  it.each<[string, Partial<Evidence>, Partial<typeof none>]>([
    ['a job that was accepted and is not there', { found: [] }, { lost: 1 }],
    ['an output that is not in place', { files: new Map() }, { lost: 1 }],
    ['a payload that never ran', row({ runs: 0 }), { lost: 1 }],
    ['an output that the database does not know of', row({ isPublished: false }), { lost: 1 }],
    ["another job's output", { files: new Map([[output.key, { ...file, text: 'chaos-0 none' }]]) }, { lost: 1 }],
    ['an output of another attempt', row({ sha256: 'b' }), { publishedTwice: 1 }],
    ['an output that appeared twice', { appearances: new Map([[output.key, 2]]) }, { publishedTwice: 1 }],
    ['two jobs of one submission', { found: [complete, { ...complete, id: 'job-2' }] }, { publishedTwice: 1 }],
    ['a job that still waits', row({ state: 'QUEUED', waitingReason: 'waiting-for-slot' }), { stuck: 1 }],
    ['a submission that nobody answered', { submissions: [] }, { stuck: 1 }],
    ['an error and an output', row({ state: 'SYSTEM_ERROR' }), { systemErrors: 1, publishedTwice: 1 }],
    ['an error without an output', { ...row({ state: 'EXECUTOR_ERROR' }), files: new Map() }, { systemErrors: 1 }],
    [
      'a refusal',
      { submissions: [{ key: output.key, jobId: undefined, refusal: '422 no' }], found: [] },
      { systemErrors: 1 },
    ],
  ])('counts %s', (_name, changes, expected) => {
    expect(counts({ ...well, ...changes })).toEqual({ ...none, ...expected });
  });

  it.each([
    ['canceled', 'CANCELED'],
    ['fails', 'EXECUTOR_ERROR'],
    ['poisonous', 'SYSTEM_ERROR'],
  ] as const)('lets a job of the kind %s end as %s', (kind, state) => {
    const job = ofKind(kind);
    expect(
      counts({
        planned: [job],
        submissions: [{ key: job.key, jobId: 'job-1', refusal: undefined }],
        found: [{ ...complete, key: job.key, state, runs: 0, sha256: null, isPublished: false }],
        files: new Map(),
        appearances: new Map(),
      }),
    ).toEqual(none);
  });

  it('lets an impossible job be refused', () => {
    const job = ofKind('impossible');
    const submissions = [{ key: job.key, jobId: undefined, refusal: '422 resources-unavailable' }];
    expect(counts({ ...well, planned: [job], submissions, found: [] })).toEqual(none);
  });
});

describe('the plan of the jobs', () => {
  it('is the same for a seed, has every kind, and spreads them over the time', () => {
    expect(planJobs(200, 60_000, 1, place)).toEqual(planned);
    expect(new Set(planned.map(({ kind }) => kind)).size).toBe(9);
    expect(planned.at(-1)?.atMs).toBeGreaterThan(59_000);
  });
});
