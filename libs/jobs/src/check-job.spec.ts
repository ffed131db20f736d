import { describe, expect, it } from 'vitest';
import { checkJobSpecification, mountPathProblem } from './check-job.js';
import { type ExecutorSpecification, type InputReference, type OutputReference } from './job-specification.js';

const executor: ExecutorSpecification = { image: 'alpine', command: ['true'], environment: {} };
const input = (path: string, name?: string): InputReference => ({
  path,
  content: '',
  ...(name === undefined ? {} : { name }),
});
const output = (path: string, name?: string): OutputReference => ({
  path,
  url: `file:///published${path}`,
  ...(name === undefined ? {} : { name }),
});
const places = (job: Partial<Parameters<typeof checkJobSpecification>[0]>) =>
  checkJobSpecification({ executors: [executor], inputs: [], outputs: [], ...job }).map(({ at }) => at);

describe('mountPathProblem', () => {
  it.each(['/in', '/in/a b', '/data/..a', '/data/.hidden', '/tmp/a', '/run/other', '/process', '/devices/a', '/a:b'])(
    'accepts %j',
    (path) => expect(mountPathProblem(path)).toBeNull(),
  );
  it.each([
    ...[
      '',
      '/',
      'in',
      'in/a',
      './a',
      '/in/',
      '//in',
      '/in//a',
      '/in/.',
      '/./in',
      '/..',
      '/in/../etc',
      '/in/..',
      '/a\0b',
    ],
    ...['/proc', '/proc/self/mem', '/sys/fs', '/dev', '/dev/shm', '/run/porin', '/run/porin/s', '/run', '/tmp'],
  ])('refuses %j', (path) => expect(mountPathProblem(path)).not.toBeNull());
  it('counts the length of a path in bytes', () => {
    expect(mountPathProblem(`/${'a'.repeat(4094)}`)).toBeNull();
    expect(mountPathProblem(`/${'a'.repeat(4095)}`)).not.toBeNull();
    expect(mountPathProblem(`/${'ü'.repeat(2048)}`)).not.toBeNull();
  });
});

describe('checkJobSpecification', () => {
  it('accepts a sound job', () => {
    const job = {
      inputs: [input('/in/a', 'a'), input('/in/ab')],
      outputs: [output('/out/a', 'b'), output('/out/sub/a')],
    };
    expect(places(job)).toEqual([]);
  });

  it.each([
    ['/in/a', '/in/a'],
    ['/in', '/in/a'],
    ['/in/a/b', '/in/a'],
  ])('refuses references at %s and %s', (first, second) => {
    expect(places({ inputs: [input(first), input(second)] })).toEqual(['inputs[1].path']);
  });

  it('names every reference that overlaps an earlier one', () => {
    const paths = ['/in/a/b', '/in/a', '/in/a/c', '/in/d', '/in/a-b', '/in/d/e', '/in/a/b', '/in'];
    const overlapping = [1, 2, 5, 6, 7].map((at) => `inputs[${at}].path`);
    expect(places({ inputs: paths.map((path) => input(path)) })).toEqual(overlapping);
  });

  it('refuses an output below an input', () => {
    expect(places({ inputs: [input('/in')], outputs: [output('/in/x')] })).toEqual(['outputs[0].path']);
  });

  it('takes an output in the scratch directory, and none directly in the root or where the sandbox has its own', () => {
    expect(places({ outputs: [output('/a'), output('/tmp/a'), output('/run/a')] })).toEqual([
      'outputs[0].path',
      'outputs[2].path',
    ]);
  });

  it('lets inputs, outputs and what is printed lie in volumes, and volumes in one another', () => {
    const volumes = ['/vol', '/vol/deeper', '/vol', '/tmp', '/tmp/vol'];
    const executors = [
      { ...executor, stdout: '/vol/log', stderr: '/vol/log' },
      { ...executor, stdin: '/vol/log', stdout: '/vol/a' },
    ];
    expect(places({ executors, volumes, inputs: [input('/vol/in')], outputs: [output('/vol/a')] })).toEqual([]);
  });

  it.each(
    [
      ['/', '/proc', '/run', '/dev/shm', 'vol', '/vol/', '/vol/../etc', '/in', '/in/a', '/out/a'].map((path) => [path]),
    ].flat(),
  )('refuses the volume %j', (path) => {
    expect(places({ volumes: [path], inputs: [input('/in')], outputs: [output('/out/a')] })).toEqual(['volumes[0]']);
  });

  it.each(['/log', '/proc/a', '/run/a', '/dev/a', 'log', '/out/../a', '/in', '/in/a', '/out/a/b', '/vol'])(
    'refuses to write what is printed to %j',
    (stdout) => {
      const job = { inputs: [input('/in')], outputs: [output('/out/a')], volumes: ['/vol'] };
      expect(new Set(places({ ...job, executors: [{ ...executor, stdout }] }))).toEqual(
        new Set(['executors[0].stdout']),
      );
    },
  );

  it.each(['/etc/passwd', '/proc/self/environ', 'a', '/out', '/vol', '/tmp', '/tmp/../etc/passwd', '/inner'])(
    'reads no %j, which the job does not bring',
    (stdin) => {
      const job = { inputs: [input('/in')], outputs: [output('/out/a')], volumes: ['/vol'] };
      expect(places({ ...job, executors: [{ ...executor, stdin }] })).toEqual(['executors[0].stdin']);
    },
  );

  it.each([{ stdout: '/vol/a' }, { stderr: '/vol/a' }])('reads not what the executor itself prints: %j', (streams) => {
    const executors = [
      { ...executor, stdout: '/vol/a' },
      { ...executor, stdin: '/vol/a', ...streams },
    ];
    expect(places({ executors, volumes: ['/vol'] })).toEqual(['executors[1].stdin']);
  });

  it('takes outputs with paths of 2,000 bytes at most', () => {
    const longest = `/out/${'a'.repeat(1995)}`;
    const placesOf = (path: string) => places({ outputs: [{ ...output('/out/a'), path }] });
    expect([placesOf(longest), placesOf(`${longest}a`)]).toEqual([[], ['outputs[0].path']]);
  });

  it('lets directories and patterns share their places with what lies in them', () => {
    const directory = (path: string, url = 'file:///p'): OutputReference => ({ path, url, type: 'DIRECTORY' });
    const pattern = (path: string, pathPrefix: string): OutputReference => ({ path, pathPrefix, url: 'file:///p' });
    const outputs = [
      directory('/out'),
      pattern('/out/a*', '/'),
      pattern('/tmp/*', '/tmp'),
      directory('/tmp'),
      output('/out/b'),
    ];
    const named = outputs.map((each, index) => (index < 4 ? each : { ...each, url: 'file:///p/b' }));
    expect(places({ outputs: named, inputs: [input('/out/c')], volumes: ['/out'] })).toEqual([]);
  });

  it.each<[Partial<OutputReference>, string]>([
    [{ path: '/in', type: 'DIRECTORY' }, 'outputs[0].path'],
    [{ path: '/in/a', type: 'DIRECTORY' }, 'outputs[0].path'],
    [{ path: '/run', type: 'DIRECTORY' }, 'outputs[0].path'],
    [{ path: '/in/*', pathPrefix: '/in' }, 'outputs[0].path'],
    [{ path: '/*', pathPrefix: '/' }, 'outputs[0].path'],
    [{ path: '/proc/*', pathPrefix: '/' }, 'outputs[0].path'],
    [{ path: '/out/a*', pathPrefix: '/out/a' }, 'outputs[0].pathPrefix'],
    [{ path: '/out/a*', pathPrefix: 'out' }, 'outputs[0].pathPrefix'],
    [{ path: '/out/a*', pathPrefix: '/ou' }, 'outputs[0].pathPrefix'],
    [{ path: '/out', type: 'DIRECTORY', url: 'https://h/p?a' }, 'outputs[0].url'],
    [{ path: '/out', type: 'DIRECTORY', url: 'https://h/p/' }, 'outputs[0].url'],
    [{ path: '/out', type: 'DIRECTORY', url: 'file:///p/' }, 'outputs[0].url'],
  ])('refuses the directory or pattern %j', (change, at) => {
    const outputs = [{ path: '/out', url: 'file:///p', ...change }];
    expect(new Set(places({ outputs, inputs: [input('/in')] }))).toEqual(new Set([at]));
  });

  it('refuses one file where another output has its directory', () => {
    const outputs: OutputReference[] = [
      { path: '/a/a', url: 'file:///p' },
      { path: '/b', url: 'file:///p', type: 'DIRECTORY' },
      { path: '/c', url: 'file:///p/c', type: 'DIRECTORY' },
    ];
    expect(places({ outputs })).toEqual(['outputs[1].url', 'outputs[2].url']);
  });

  it.each([
    ['file:///p/a', 'file:///p/%61', 'is the target of outputs[0].url too'],
    ['file:///p/a', 'FILE:///p/a', 'is the target of outputs[0].url too'],
    ['https://u@h/a', 'https://h:443/a', 'is the target of outputs[0].url too'],
    ['file:///p/a', 'file:///p/a/b', 'lies below or above outputs[0].url'],
    ['https://h/a/b', 'https://h/a', 'lies below or above outputs[0].url'],
    ['https://h/a%2Fb', 'https://h/a/b', 'is the target of outputs[0].url too'],
    ['https://h//a', 'https://h/a;v=1', 'is the target of outputs[0].url too'],
    ['https://h/a?x', 'https://h/a', 'lies below or above outputs[0].url'],
  ])('refuses outputs to %s and %s', (first, second, message) => {
    const outputs = [
      { url: first, path: '/out/a' },
      { url: second, path: '/out/b' },
    ];
    const problems = checkJobSpecification({ executors: [executor], inputs: [], outputs });
    expect(problems).toEqual([{ at: 'outputs[1].url', message }]);
  });

  it('lets outputs differ by their query', () => {
    const outputs = [
      { url: 'https://h/a?name=1', path: '/out/a' },
      { url: 'https://h/a?name=2', path: '/out/b' },
    ];
    expect(places({ outputs })).toEqual([]);
  });

  it('names every target that is not apart from an earlier one, without comparing each with each', () => {
    const deep = 'p/'.repeat(98);
    const outputs = Array.from({ length: 5_000 }, (_, index) => {
      return { url: `https://h/${deep}${index % 4_990}`, path: `/out/${index}` };
    });
    const startedAt = performance.now();
    const problems = checkJobSpecification({ executors: [executor], inputs: [], outputs });
    // Half a second. Comparing each with each takes half a minute.
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    expect(problems).toEqual(
      Array.from({ length: 10 }, (_, index) => {
        return { at: `outputs[${4_990 + index}].url`, message: `is the target of outputs[${index}].url too` };
      }),
    );
  }, 120_000);

  it('refuses names given twice, over inputs and outputs', () => {
    expect(places({ inputs: [input('/in/a', 'n')], outputs: [output('/out/a', 'n')] })).toEqual(['outputs[0].name']);
  });

  it('refuses an input with both or neither of url and content', () => {
    const both = { path: '/in/a', url: 'file:///a', content: '' };
    expect(places({ inputs: [both, { path: '/in/b' }] })).toEqual(['inputs[0]', 'inputs[1]']);
  });

  it.each([
    ['both an application and an image', { ...executor, application: 'a' }, 'executors[0]'],
    ['neither', { command: ['a'], environment: {} }, 'executors[0]'],
    ['an image without a command', { ...executor, command: [] }, 'executors[0].command'],
    ['a null byte in an argument', { ...executor, command: ['a', 'b\0'] }, 'executors[0].command'],
    ['a relative working directory', { ...executor, workingDirectory: 'a' }, 'executors[0].workingDirectory'],
  ])('refuses an executor with %s', (_name, broken, at) => {
    expect(places({ executors: [broken] })).toEqual([at]);
  });

  it('reports every problem at once', () => {
    expect(places({ executors: [{ ...executor, command: [] }], inputs: [input('x'), input('/proc/a')] })).toEqual([
      'executors[0].command',
      'inputs[0].path',
      'inputs[1].path',
    ]);
  });
});
