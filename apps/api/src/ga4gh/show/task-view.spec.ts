import { type TaskDetails } from '#lib/jobs';
import { describe, expect, it } from 'vitest';
import { type AttemptRow, type JobRow, type RunRow, type StreamRow, type TaskRows } from './read-tasks.js';
import { taskAnswer } from './task-answers.js';
import { exitCode, readable } from './task-log.js';
import { taskView } from './task-view.js';

const GIB = 1024 ** 3;
const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const JOB: JobRow = {
  ...{ id: 'job', state: 'COMPLETE', name: 'n', tags: { a: 'b' }, createdAt: at(0), endedAt: at(9) },
  ...{ cpuMilli: 1500, memoryBytes: GIB, diskBytes: GIB / 2, errorCode: null, errorMessage: null, task: null },
  progress: null,
  inputs: [{ path: '/in/a', content: 'text' }],
  outputs: [{ path: '/out/a', url: 'file:///out/a' }],
  volumes: null,
};
const ATTEMPT: AttemptRow = {
  ...{ jobId: 'job', number: 2, node: 'n1', state: 'COMPLETE', errorCode: null, errorMessage: null },
  ...{ startedAt: at(1), endedAt: at(9), cachedInputs: 0, cachedBytes: 0 },
};
const RUN: RunRow = {
  ...{
    jobId: 'job',
    id: 'run',
    position: 0,
    enforcement: 'enforce',
    monitoring: 'syscalls',
    profileDigest: 'sha256:p',
  },
  ...{ denials: 2, wallUs: 1_000_499, userUs: 1_500, systemUs: 600, maxRssBytes: 4096, exitCode: 0, signal: null },
  ...{ outcome: 'exited', errorCode: null, startedAt: at(2), endedAt: at(3) },
};
const STREAM: StreamRow = { jobId: 'job', runId: 'run', kind: 'stdout', content: Buffer.from('ende\n'), bytes: 9 };

const NO_STREAMS = { stdin: null, stdout: null, stderr: null, ignoreError: false };
const rows = (more: Partial<TaskRows> = {}): TaskRows => ({
  job: JOB,
  executors: [{ jobId: 'job', image: 'i', command: ['c'], environment: {}, workingDirectory: null, ...NO_STREAMS }],
  ...{ attempts: [ATTEMPT], runs: [RUN], streams: [STREAM], unwatched: [] },
  outputs: [{ jobId: 'job', path: '/out/a', url: 'file:///out/a', bytes: 5, position: 0 }],
  ...more,
});
const described = (task: TaskDetails) => ({ job: { ...JOB, task } });

describe('the view of a task', () => {
  it('has the streams, errors and volumes of its executors as they were asked for', () => {
    const [executor] = rows().executors;
    if (!executor) throw new Error('there is none');
    const asked = { ...executor, stdin: '/in/a', stdout: '/out/a', stderr: '/vol/b', ignoreError: true };
    const task = taskView(rows({ job: { ...JOB, volumes: ['/vol'] }, executors: [asked] }), 'BASIC');
    expect(task).toMatchObject({
      executors: [{ stdin: '/in/a', stdout: '/out/a', stderr: '/vol/b', ignore_error: true }],
      volumes: ['/vol'],
    });
    expect(taskAnswer.parse(task)).toEqual(task);
  });

  it('FULL has everything', () => {
    const task = taskView(rows(), 'FULL');
    expect(task).toEqual({
      ...{ id: 'job', state: 'COMPLETE', name: 'n', tags: { a: 'b' }, creation_time: '2026-01-01T00:00:00.000Z' },
      inputs: [{ path: '/in/a', type: 'FILE', content: 'text' }],
      outputs: [{ url: 'file:///out/a', path: '/out/a', type: 'FILE' }],
      resources: { cpu_cores: 2, ram_gb: 1, disk_gb: 0.5 },
      executors: [{ image: 'i', command: ['c'] }],
      logs: [
        {
          ...{ start_time: '2026-01-01T00:00:01.000Z', end_time: '2026-01-01T00:00:09.000Z' },
          logs: [
            {
              ...{ start_time: '2026-01-01T00:00:02.000Z', end_time: '2026-01-01T00:00:03.000Z' },
              ...{ exit_code: 0, stdout: 'ende\n', stderr: '' },
            },
          ],
          metadata: {
            ...{ node: 'n1', attempt: '2', wall_time_ms: '1000', user_cpu_time_ms: '2', system_cpu_time_ms: '1' },
            ...{ cpu_time_ms: '2', peak_memory_bytes: '4096', enforcement: 'enforce', monitoring: 'syscalls' },
            ...{ profile_digest: 'sha256:p', denials: '2' },
          },
          outputs: [{ url: 'file:///out/a', path: '/out/a', size_bytes: '5' }],
          system_logs: [
            'Attempt 2 on node n1: COMPLETE.',
            'The last 5 of 9 bytes of stdout are shown; all of them are at /api/v1/jobs/job/logs?stream=stdout&executor=0.',
          ],
        },
      ],
    });
    expect(taskAnswer.parse(task)).toEqual(task);
  });

  it('says what was not fetched, where anything was not', () => {
    const attempts = [{ ...ATTEMPT, cachedInputs: 2, cachedBytes: 2 ** 40 }];
    expect(taskView(rows({ attempts }), 'BASIC').logs?.[0]?.metadata).toMatchObject({
      input_cache_hits: '2',
      input_cache_bytes: '1099511627776',
    });
  });

  it('BASIC leaves out content, stdout, stderr and system logs, and nothing else', () => {
    const full = taskView(rows({ streams: [] }), 'FULL');
    const basic = JSON.parse(JSON.stringify(full)) as typeof full;
    delete basic.inputs?.[0]?.content;
    delete basic.logs?.[0]?.system_logs;
    delete basic.logs?.[0]?.logs[0]?.stdout;
    delete basic.logs?.[0]?.logs[0]?.stderr;
    expect(taskView(rows({ streams: [] }), 'BASIC')).toEqual(basic);
  });

  it('has no log before the first attempt, and no executor log before the executor has ended', () => {
    const waiting = { ...JOB, state: 'QUEUED', endedAt: null } as const;
    const begunNowhere = { attempts: [], runs: [], streams: [], outputs: [] };
    expect(taskView(rows({ ...begunNowhere, job: waiting }), 'FULL')).not.toHaveProperty('logs');
    const running = taskView(
      rows({ runs: [{ ...RUN, endedAt: null }], attempts: [{ ...ATTEMPT, endedAt: null }] }),
      'FULL',
    );
    expect(running.logs?.[0]?.logs).toEqual([]);
    expect(running.logs?.[0]).not.toHaveProperty('end_time');
    const unreported = { ...RUN, exitCode: null, outcome: null, errorCode: 'engine-error' };
    expect(taskView(rows({ runs: [unreported] }), 'FULL').logs?.[0]?.logs).toEqual([]);
  });

  it('has one log, of no executor, where it ended before its first attempt or has been warned of something', () => {
    const begunNowhere = { attempts: [], runs: [], streams: [], outputs: [] };
    const logsOf = (job: Partial<JobRow>, view: 'BASIC' | 'FULL') => {
      const task = taskView(rows({ ...begunNowhere, job: { ...JOB, ...job } }), view);
      expect(taskAnswer.parse(task)).toEqual(task);
      return task.logs;
    };
    const warned = { task: { warnings: ['zones are ignored.'] } };
    const failed = { state: 'SYSTEM_ERROR', errorCode: 'unplaceable', errorMessage: 'no node has it' } as const;
    const log = { logs: [], outputs: [], metadata: {} };
    const error = 'unplaceable: no node has it';
    expect(logsOf(failed, 'FULL')).toEqual([{ ...log, system_logs: [error] }]);
    expect(logsOf({ ...failed, ...warned }, 'FULL')).toEqual([{ ...log, system_logs: ['zones are ignored.', error] }]);
    expect(logsOf({ state: 'CANCELED' }, 'FULL')).toEqual([{ ...log, system_logs: [] }]);
    expect(logsOf(failed, 'BASIC')).toEqual([log]);
    const waiting = { state: 'QUEUED', endedAt: null } as const;
    expect(logsOf({ ...waiting, ...warned }, 'FULL')).toEqual([{ ...log, system_logs: ['zones are ignored.'] }]);
  });

  it('shows what was sent as it was sent', () => {
    const task = taskView(
      rows(
        described({
          description: 'words',
          inputs: [{ name: 'i', description: 'in', streamable: true }],
          outputs: [{ name: 'o', url: '/out/a' }],
          resources: { cpu_cores: 1.5, zones: ['z'], backend_parameters: { porin_priority: '1' } },
          warnings: ['zones are ignored.'],
        }),
      ),
      'FULL',
    );
    expect(task).toMatchObject({
      description: 'words',
      inputs: [{ name: 'i', description: 'in', streamable: true, content: 'text' }],
      outputs: [{ name: 'o', url: '/out/a' }],
      resources: { cpu_cores: 1.5, ram_gb: 1, zones: ['z'], backend_parameters: { porin_priority: '1' } },
      logs: [
        { outputs: [{ url: '/out/a' }], system_logs: ['zones are ignored.', expect.any(String), expect.any(String)] },
      ],
    });
  });

  it('tells of earlier attempts, oldest first, and that there were more', () => {
    const attempts = Array.from({ length: 22 }, (_, index): AttemptRow => {
      const earlier = { number: 30 - index, state: 'LOST', errorCode: 'lease-lost', errorMessage: 'gone' } as const;
      return index === 0 ? { ...ATTEMPT, number: 30 } : { ...ATTEMPT, ...earlier };
    });
    const logs = taskView(rows({ attempts, streams: [] }), 'FULL').logs?.[0]?.system_logs ?? [];
    expect(logs[0]).toBe('Attempts before 10 are not listed.');
    expect(logs[1]).toBe('Attempt 10 on node n1: LOST. lease-lost: gone');
    expect(logs.at(-1)).toBe('Attempt 30 on node n1: COMPLETE.');
    expect(logs).toHaveLength(22);
  });

  it.each([
    ['staging', 34, 'Staging: 1 of 2 inputs, 12 of 34 bytes.'],
    ['staging', null, 'Staging: 1 of 2 inputs, 12 bytes so far.'],
    ['publishing', 34, 'Publishing: 1 of 2 files, 12 of 34 bytes.'],
  ] as const)('says how far the transfers are: %s of %j bytes', (phase, bytesTotal, text) => {
    const job: JobRow = { ...JOB, progress: { phase, done: 1, total: 2, bytesDone: 12, bytesTotal } };
    expect(taskView(rows({ job, runs: [], streams: [] }), 'FULL').logs?.[0]?.system_logs?.at(-1)).toBe(text);
  });

  it('says once why the job ended', () => {
    const failed = { errorCode: 'exit-code', errorMessage: 'with exit code 3' };
    const logs = (job: JobRow, attempt: AttemptRow) =>
      taskView(rows({ job, attempts: [attempt], streams: [] }), 'FULL').logs?.[0]?.system_logs;
    const text = 'Attempt 2 on node n1: FAILED. exit-code: with exit code 3';
    expect(logs({ ...JOB, ...failed }, { ...ATTEMPT, ...failed, state: 'FAILED' })).toEqual([text]);
    const expired = { ...JOB, errorCode: 'denied', errorMessage: 'nobody decided' };
    expect(logs(expired, { ...ATTEMPT, ...failed, state: 'FAILED' })).toEqual([text, 'denied: nobody decided']);
  });

  it('adds up what several executors took, and says levels one by one where they differ', () => {
    const second = { ...RUN, id: 'run2', position: 1, maxRssBytes: 9000, profileDigest: null };
    const { metadata } = taskView(rows({ runs: [RUN, { ...second, enforcement: 'none' }] }), 'BASIC').logs?.[0] ?? {};
    expect(metadata).toMatchObject({
      ...{ wall_time_ms: '2001', cpu_time_ms: '4', peak_memory_bytes: '9000', denials: '4' },
      ...{ enforcement: 'enforce, none', monitoring: 'syscalls', profile_digest: 'sha256:p, none' },
    });
    const unmeasured = { ...RUN, wallUs: null, userUs: null, systemUs: null, maxRssBytes: null, profileDigest: null };
    expect(Object.keys(taskView(rows({ runs: [unmeasured] }), 'BASIC').logs?.[0]?.metadata ?? {})).toEqual([
      ...['node', 'attempt', 'enforcement', 'monitoring', 'denials'],
    ]);
  });
});

describe('the overhead of a task', () => {
  const second = { ...RUN, id: 'run2', position: 1, wallUs: 2_000_000 };
  const overhead = (more: Partial<TaskRows>) => taskView(rows(more), 'FULL').logs?.[0]?.metadata.overhead_ratio;
  const plain = (runId: string, wallUs: number) => ({ jobId: 'job', runId, wallUs });

  it('is its wall time to what the same took unwatched, all executors together', () => {
    expect(overhead({ unwatched: [plain('run', 1_000_000)] })).toBe('1.000');
    const both = [plain('run2', 1_000_000), plain('run', 1_000_000)];
    expect(overhead({ runs: [RUN, second], unwatched: both })).toBe('1.500');
  });

  it('is not said where an executor has nothing to be compared with, or no wall time', () => {
    expect(overhead({ unwatched: [] })).toBeUndefined();
    expect(overhead({ runs: [], unwatched: [] })).toBeUndefined();
    expect(overhead({ runs: [RUN, second], unwatched: [plain('run', 1_000_000)] })).toBeUndefined();
    expect(overhead({ runs: [{ ...RUN, wallUs: null }], unwatched: [plain('run', 1_000_000)] })).toBeUndefined();
  });
});

describe('an exit code', () => {
  it.each([
    [{ exitCode: 3, signal: null, outcome: 'exited' }, 'exit-code', 3],
    [{ exitCode: null, signal: 11, outcome: 'signaled' }, 'killed-by-signal', 139],
    [{ exitCode: null, signal: null, outcome: 'stopped' }, 'wall-time-exceeded', 137],
    [{ exitCode: null, signal: null, outcome: 'exec-failed' }, 'command-not-found', 127],
    [{ exitCode: null, signal: null, outcome: 'exec-failed' }, 'command-not-executable', 126],
    [{ exitCode: null, signal: null, outcome: null }, null, 137],
  ])('of %j with %s is %i', (run, errorCode, code) => {
    expect(exitCode(run, errorCode)).toBe(code);
  });
});

describe('the last bytes of a stream', () => {
  it.each([1, 2, 3, 4])('begin with a whole character where %i bytes of one of four are cut off', (cut) => {
    expect(readable(Buffer.from('𝄞 ende').subarray(cut))).toBe(' ende');
  });

  it('are text whatever they hold', () => {
    expect(readable(Buffer.from([0x80, 0x80, 0x80, 0x80, 0x61, 0, 0xff]))).toBe('\ufffda\0\ufffd');
    expect(readable()).toBe('');
  });
});
