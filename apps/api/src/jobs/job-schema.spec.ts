import { describe, expect, it } from 'vitest';
import { jobSchema } from './job-schema.js';

const executor = { image: 'alpine', command: ['true'] };
const accepts = (job: unknown) => jobSchema.safeParse(job).success;

describe('a job request', () => {
  it('needs no more than an executor, and gets defaults', () => {
    const job = jobSchema.parse({ executors: [executor] });
    expect(job.resources).toEqual({ cpuMilli: 1000, memoryBytes: 1024 ** 3, diskBytes: 1024 ** 3, wallTimeS: 3600 });
  });

  it.each(['relative', '/', '/a/../b', '/a//b', '/a/', '/proc/self', '/run/porin', '/dev/shm', '/a\0b', '/./a'])(
    'refuses the mount path %j',
    (path) => {
      expect(accepts({ executors: [executor], inputs: [{ content: '', path }] })).toBe(false);
    },
  );

  it.each([
    ['/in/a', '/in/a', false],
    ['/in', '/in/a', false],
    ['/in/a', '/in', false],
    ['/in/a', '/in/ab', true],
  ])('an input at %s and an output at %s are allowed: %s', (input, output, allowed) => {
    const job = {
      executors: [executor],
      inputs: [{ content: '', path: input }],
      outputs: [{ url: 'file:///o', path: output }],
    };
    expect(accepts(job)).toBe(allowed);
  });

  it.each([
    ['an unknown field', { executors: [executor], enviroment: {} }],
    ['no executor', { executors: [] }],
    ['both an application and an image', { executors: [{ ...executor, application: 'a' }] }],
    ['an image without a command', { executors: [{ image: 'a' }] }],
    ['an input with neither url nor content', { executors: [executor], inputs: [{ path: '/in' }] }],
    ['an environment name with =', { executors: [{ ...executor, environment: { 'A=B': '' } }] }],
    ['a checksum that is none', { executors: [executor], inputs: [{ content: '', path: '/in', sha256: 'abc' }] }],
    ['no wall time', { executors: [executor], resources: { wallTimeS: 0 } }],
  ])('refuses %s', (_name, job) => {
    expect(accepts(job)).toBe(false);
  });
});
