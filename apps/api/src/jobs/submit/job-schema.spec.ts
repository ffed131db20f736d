import { describe, expect, it } from 'vitest';
import { jobSchema } from './job-schema.js';

const executor = { image: 'alpine', command: ['true'] };
const problemsOf = (job: unknown) =>
  (jobSchema.safeParse(job).error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('a job request', () => {
  it('needs no more than an executor, and gets defaults', () => {
    const job = jobSchema.parse({ executors: [executor] });
    expect(job.resources).toEqual({ cpuMilli: 1000, memoryBytes: 1024 ** 3, diskBytes: 1024 ** 3, wallTimeS: 3600 });
  });

  it('is held to the checks of paths, each problem where it is', () => {
    const inputs = [
      { content: '', path: '/in/a' },
      { content: '', path: '/in/../b' },
    ];
    const problems = problemsOf({ executors: [executor], inputs, outputs: [{ url: 'file:///o', path: '/in/a/c' }] });
    expect(problems).toEqual([
      'inputs.1.path: must not contain the parts "." or ".."',
      'outputs.0.path: overlaps inputs[0].path (/in/a)',
    ]);
  });

  it('names problems of paths and of other fields at once', () => {
    const problems = problemsOf({ executors: [], inputs: [{ path: '/in' }] });
    expect(problems).toHaveLength(2);
  });

  it.each(['s3://Bucket/key', 'javascript:alert(1)', 'relative', '/absolute', 'ftp://host/x'])(
    'refuses the URL %j',
    (url) => {
      const job = { executors: [executor], inputs: [{ url, path: '/in/a' }], outputs: [{ url, path: '/out/a' }] };
      expect(problemsOf(job)).toHaveLength(2);
    },
  );

  it('takes a drs: URL for an input alone', () => {
    const url = 'drs://host/id';
    const job = { executors: [executor], inputs: [{ url, path: '/in/a' }], outputs: [{ url, path: '/out/a' }] };
    expect(problemsOf(job)).toEqual([expect.stringMatching(/^outputs\[0\]\.url|^outputs\.0\.url/)]);
  });

  it.each([
    'file:///data/a.edf',
    'http://archive.example.org/a',
    'https://127.0.0.1:8443/a?signature=1',
    's3://bucket/a',
  ])('leaves it to the node whether %j is allowed', (url) => {
    const job = { executors: [executor], inputs: [{ url, path: '/in/a' }], outputs: [{ url, path: '/out/a' }] };
    expect(problemsOf(job)).toEqual([]);
  });

  it.each([
    ['an unknown field', { executors: [executor], enviroment: {} }],
    ['both an application and an image', { executors: [{ ...executor, application: 'a' }] }],
    ['an image without a command', { executors: [{ image: 'a' }] }],
    ['an input with neither url nor content', { executors: [executor], inputs: [{ path: '/in' }] }],
    [
      'content over its limit',
      { executors: [executor], inputs: [{ content: 'x'.repeat(1024 ** 2 + 1), path: '/in' }] },
    ],
    ['an environment name with =', { executors: [{ ...executor, environment: { 'A=B': '' } }] }],
    ['a null byte in the environment', { executors: [{ ...executor, environment: { A: 'a\0b' } }] }],
    ['a null byte in content', { executors: [executor], inputs: [{ content: 'a\0b', path: '/in' }] }],
    ['half of a character in its name', { executors: [executor], name: 'a\ud83d' }],
    ['a null byte in a tag’s name', { executors: [executor], tags: { 'a\0': '' } }],
    ['a checksum that is none', { executors: [executor], inputs: [{ content: '', path: '/in', sha256: 'abc' }] }],
    ['no wall time', { executors: [executor], resources: { wallTimeS: 0 } }],
    ['more memory than there can be', { executors: [executor], resources: { memoryBytes: 2 ** 51 } }],
  ])('refuses %s', (_name, job) => {
    expect(problemsOf(job)).not.toEqual([]);
  });
});
