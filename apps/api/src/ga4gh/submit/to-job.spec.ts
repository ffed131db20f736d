import { describe, expect, it } from 'vitest';
import { type PorinError } from '../../errors/porin-error.js';
import { newTask } from './new-task.js';
import { toJob } from './to-job.js';

const GIB = 1024 ** 3;
const executors = [{ image: 'debian:bookworm', command: ['true'] }];
const mapped = (task: object) => toJob(newTask.parse({ executors, ...task }));
const problemsOf = (task: object): readonly string[] => {
  const parsed = newTask.safeParse({ executors, ...task });
  if (!parsed.success) return parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  try {
    toJob(parsed.data);
  } catch (error) {
    return (error as PorinError).problems ?? [];
  }
  return [];
};

describe('a task as a job', () => {
  it('needs no more than an executor, and has the defaults of a job', () => {
    const { request, details } = mapped({});
    expect(request).toEqual({
      ...{ name: '', inputs: [], outputs: [], publishOn: 'executor-error', priority: 0, tags: {} },
      executors: [{ image: 'debian:bookworm', command: ['true'], environment: {} }],
      resources: { cpuMilli: 1000, memoryBytes: GIB, diskBytes: GIB, wallTimeS: 3600 },
    });
    expect(details).toEqual({});
  });

  it('names secrets, and says which parameter is wrong', () => {
    const asking = (porin_secrets: string) => ({ resources: { backend_parameters: { porin_secrets } } });
    expect(mapped(asking('archive, s3.lab')).request.secrets).toEqual(['archive', 's3.lab']);
    expect(mapped({}).request).not.toHaveProperty('secrets');
    for (const wrong of ['', 'a,', 'a,a', 'a b']) {
      expect(problemsOf(asking(wrong))).toEqual([
        expect.stringContaining('resources.backend_parameters.porin_secrets'),
      ]);
    }
  });

  it('keeps what a job does not have', () => {
    const { request, details } = mapped({
      ...{ name: 'a', description: 'words', tags: { study: 'sleep' } },
      inputs: [
        { name: 'same', description: 'd', url: '/data/a #1%.edf', path: '/in/a', type: 'FILE' },
        { name: 'same', url: 'https://archive.example.org/b', content: 'text', path: '/in/b', streamable: true },
      ],
      outputs: [{ name: 'same', url: 'file:///out/a', path: '/out/a', path_prefix: '/out' }],
      resources: { cpu_cores: 2, ram_gb: 0.5, disk_gb: 1e-9, preemptible: true, zones: ['b'] },
      executors: [{ image: 'debian', command: ['a'], env: { A: 'b' }, workdir: '/data/' }],
    });
    expect(request).toMatchObject({
      ...{ name: 'a', tags: { study: 'sleep' } },
      inputs: [
        { url: 'file:///data/a%20%231%25.edf', path: '/in/a' },
        { content: 'text', path: '/in/b' },
      ],
      outputs: [{ url: 'file:///out/a', path: '/out/a' }],
      resources: { cpuMilli: 2000, memoryBytes: GIB / 2, diskBytes: 1024 ** 2 },
      executors: [{ environment: { A: 'b' }, workingDirectory: '/data' }],
    });
    expect(details).toEqual({
      description: 'words',
      inputs: [
        { name: 'same', description: 'd', url: '/data/a #1%.edf' },
        { name: 'same', streamable: true },
      ],
      outputs: [{ name: 'same' }],
      resources: { cpu_cores: 2, ram_gb: 0.5, disk_gb: 1e-9, preemptible: true, zones: ['b'] },
      warnings: [expect.stringContaining('preemptible'), expect.stringContaining('zones')],
    });
  });

  it('has the files and the errors of its executors, and the directories that they share', () => {
    const executor = { ...executors[0], stdin: '/vol/a', stdout: '/tmp/b', stderr: '', ignore_error: true };
    const { request } = mapped({ executors: [executor, { ...executors[0], ignore_error: false }], volumes: ['/vol/'] });
    expect(request).toMatchObject({
      executors: [{ stdin: '/vol/a', stdout: '/tmp/b', ignoreError: true }, {}],
      volumes: ['/vol'],
    });
    expect(Object.keys(request.executors[0] ?? {})).not.toContain('stderr');
    expect(request.executors[1]).toEqual({ image: 'debian:bookworm', command: ['true'], environment: {} });
  });

  it('has directories and patterns as outputs, and their URLs without a slash at the end', () => {
    const { request, details } = mapped({
      outputs: [
        { url: '/data/a b/', path: '/out/', type: 'DIRECTORY' },
        { url: 'file:///data/c/', path: '/tmp/*.txt', path_prefix: '/tmp/' },
        { url: 'file:///data/d', path: '/tmp/a', path_prefix: '/no/matter' },
      ],
    });
    expect(request.outputs).toEqual([
      { url: 'file:///data/a%20b', path: '/out', type: 'DIRECTORY' },
      { url: 'file:///data/c', path: '/tmp/*.txt', pathPrefix: '/tmp' },
      { url: 'file:///data/d', path: '/tmp/a' },
    ]);
    expect(details.outputs).toEqual([{ url: '/data/a b/' }, { url: 'file:///data/c/' }, {}]);
  });

  it('has directories as inputs', () => {
    const { request, details } = mapped({ inputs: [{ url: '/data/a b/', path: '/in/', type: 'DIRECTORY' }] });
    expect(request.inputs).toEqual([{ url: 'file:///data/a%20b', path: '/in', type: 'DIRECTORY' }]);
    expect(details.inputs).toEqual([{ url: '/data/a b/' }]);
  });

  it('takes null for absent, whatever is null', () => {
    const nothing = {
      name: null,
      description: null,
      inputs: null,
      outputs: null,
      volumes: null,
      tags: null,
      state: null,
    };
    const resources = { cpu_cores: null, ram_gb: null, backend_parameters: { porin_priority: null, x: null } };
    const { request, details } = mapped({
      ...nothing,
      resources,
      tags: { a: null, b: '' },
      executors: [{ ...executors[0], stdin: null, env: { A: null }, workdir: null, ignore_error: null }],
      inputs: [{ url: 'file:///a', content: null, path: '/in/a', type: null, name: null }],
    });
    expect(request).toMatchObject({
      tags: { b: '' },
      executors: [{ environment: {} }],
      inputs: [{ url: 'file:///a' }],
    });
    expect(details).toEqual({ resources: { backend_parameters: {} } });
    expect(Object.keys(request.executors[0] ?? {})).not.toContain('workingDirectory');
  });

  it('has content before a url, and empty content only without one', () => {
    const { request } = mapped({
      inputs: [
        { url: 'file:///a', content: '', path: '/in/a' },
        { content: '', path: '/in/b' },
      ],
    });
    expect(request.inputs).toEqual([
      { url: 'file:///a', path: '/in/a' },
      { content: '', path: '/in/b' },
    ]);
  });

  it.each([
    [16.1, 16_100],
    [0.0101, 11],
    [1e-9, 10],
    [0, 1_000],
  ])('has %d cores as thousandths, rounded up', (cpu_cores, cpuMilli) => {
    expect(mapped({ resources: { cpu_cores } }).request.resources).toMatchObject({ cpuMilli });
  });

  it('keeps names of every kind', () => {
    const tags = JSON.parse('{"__proto__": "a", "constructor": "b", "größe": "c"}') as object;
    expect(JSON.stringify(mapped({ tags }).request.tags)).toBe(JSON.stringify(tags));
  });
});

describe('backend parameters', () => {
  it('say what only Porin has, in any case', () => {
    const backend_parameters = { PORIN_Priority: '5', porin_wall_time_s: '60', porin_monitoring: 'syscalls' };
    const { request, details } = mapped({ resources: { backend_parameters, backend_parameters_strict: true } });
    expect(request).toMatchObject({ priority: 5, monitoring: 'syscalls', resources: { wallTimeS: 60 } });
    expect(details.resources?.backend_parameters).toEqual({
      porin_priority: '5',
      porin_wall_time_s: '60',
      porin_monitoring: 'syscalls',
    });
  });

  it('name an application in the place of the image', () => {
    const { request, details } = mapped({ resources: { backend_parameters: { porin_application: 'edf' } } });
    expect(request.executors).toEqual([{ application: 'edf', command: ['true'], environment: {} }]);
    expect(details.warnings).toEqual(['The image debian:bookworm is ignored: porin_application names the program.']);
  });

  it('that are unknown are not kept, and warned of', () => {
    const { details } = mapped({ resources: { backend_parameters: { VmSize: 'large', porin_priority: '1' } } });
    expect(details.resources).toEqual({ backend_parameters: { porin_priority: '1' } });
    expect(details.warnings).toEqual(['The backend parameter VmSize is not supported and is ignored.']);
    expect(JSON.stringify(details)).not.toContain('large');
  });

  it.each([
    [{ VmSize: 'large' }, 'resources.backend_parameters.VmSize: is not supported'],
    [{ porin_priority: '1', PORIN_PRIORITY: '2' }, 'resources.backend_parameters.PORIN_PRIORITY: is given twice'],
    [{ porin_priority: 'high' }, 'resources.backend_parameters.porin_priority: '],
    [{ porin_priority: '1e1' }, 'resources.backend_parameters.porin_priority: '],
    [{ porin_priority: '101' }, 'resources.backend_parameters.porin_priority: '],
    [{ porin_wall_time_s: '0' }, 'resources.backend_parameters.porin_wall_time_s: '],
    [{ porin_enforcement: 'more' }, 'resources.backend_parameters.porin_enforcement: '],
    [{ porin_monitoring: '' }, 'resources.backend_parameters.porin_monitoring: '],
  ])('are refused by name: %j', (backend_parameters, problem) => {
    const problems = problemsOf({ resources: { backend_parameters, backend_parameters_strict: true } });
    expect(problems).toEqual([expect.stringContaining(problem)]);
  });

  it('refuse an application for several executors', () => {
    const task = {
      executors: [...executors, ...executors],
      resources: { backend_parameters: { porin_application: 'edf' } },
    };
    expect(problemsOf(task)).toEqual(['resources.backend_parameters.porin_application: needs a task of one executor']);
  });
});

describe('a task that cannot be a job', () => {
  it('is refused in no time, however long its working directory is', () => {
    const slashes = '/'.repeat(1024 ** 2);
    const started = performance.now();
    for (const workdir of [slashes, `${slashes}a`, `a${slashes}`, `${slashes}a${slashes}`]) {
      const task = { executors: [{ image: 'debian', command: ['true'], workdir }] };
      expect(problemsOf(task)).toEqual([expect.stringContaining('executors.0.workdir: ')]);
      // As if nothing had bounded it before.
      if (workdir !== slashes) expect(() => toJob(task)).toThrow('The task has');
    }
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it.each<[object, string]>([
    [{ executors: [{ ...executors[0], stdin: '/etc/passwd' }] }, 'executors.0.stdin: must be an input'],
    [{ executors: [{ ...executors[0], stdout: '/a' }] }, 'executors.0.stdout: must lie in a directory'],
    [{ executors: [{ ...executors[0], stderr: 'a' }] }, 'executors.0.stderr: must be an absolute path'],
    [{ volumes: ['/proc'] }, 'volumes.0: must not lie at, below or above /proc'],
    [{ inputs: [{ url: 'https://h/a', path: '/in', type: 'DIRECTORY' }] }, 'inputs.0.url: of a directory must be'],
    [{ outputs: [{ url: 'file:///a', path: '/', type: 'DIRECTORY' }] }, 'outputs.0.path: must be an absolute path'],
    [{ outputs: [{ url: 'https://h/a?x', path: '/o', type: 'DIRECTORY' }] }, 'outputs.0.url: must have no query'],
    [{ outputs: [{ url: 'file:///a', path: '/o/*' }] }, 'outputs.0.path_prefix: is required where'],
    [{ outputs: [{ url: 'file:///a', path: '/o/*', path_prefix: '/o/a' }] }, 'outputs.0.path_prefix: must be a dir'],
    [{ outputs: [{ url: 'file:///a', path: '/*', path_prefix: '/' }] }, 'outputs.0.path: must lie in a directory'],
    [{ outputs: [{ url: 'file:///a', path: '/a' }] }, 'outputs.0.path: must lie in a directory of its own'],
    [{ inputs: [{ path: '/in/a' }] }, 'inputs.0: needs either url or content'],
    [
      { inputs: [{ url: 'ftp://host/key', path: '/in/a' }] },
      'inputs.0.url: must be a file:, http:, https:, s3: or drs: URL',
    ],
    [
      { outputs: [{ url: 'drs://host/id', path: '/out/a' }] },
      'outputs.0.url: must not be a drs: URL: its servers only give',
    ],
    [{ inputs: [{ url: '/data/../a', path: '/in/a' }] }, 'inputs.0.url: '],
    [{ inputs: [{ url: '', path: '/in/a' }] }, 'inputs.0.url: '],
    [{ executors: [{ image: 'a', command: ['b'], env: { 'A B': '' } }] }, 'executors.0.env.A B: '],
    [{ executors: [{ image: 'a', command: ['b'], workdir: 'data' }] }, 'executors.0.workdir: must be an absolute path'],
    [{ executors: [{ image: 'a', command: ['b'], workdir: '/'.repeat(4_096) }] }, 'executors.0.workdir: '],
    [{ executors: [{ image: 'a'.repeat(513), command: ['b'] }] }, 'executors.0.image: '],
    [{ executors: [{ image: 'a', command: ['b'.repeat(131_072)] }] }, 'executors.0.command.0: '],
    [{ inputs: [{ content: 'a'.repeat(1024 ** 2 + 1), path: '/in/a' }] }, 'inputs.0.content: '],
    [{ inputs: [{ content: 'ä'.repeat(1024 ** 2), path: '/in/a' }] }, 'inputs.0.content: must be at most'],
    [{ executors: [{ image: 'a', command: [] }] }, 'executors.0.command: an image needs a command'],
    [{ executors: [] }, 'executors: '],
    [{ executors: [{ image: '', command: ['b'] }] }, 'executors.0.image: '],
    [{ resources: { cpu_cores: 1e9 } }, 'resources.cpu_cores: '],
    [{ resources: { cpu_cores: -1 } }, 'resources.cpu_cores: '],
    [{ resources: { ram_gb: 1e300 } }, 'resources.ram_gb: '],
    [{ resources: { disk_gb: '1' } }, 'resources.disk_gb: '],
    [{ name: 'a'.repeat(257) }, 'name: '],
    [{ description: '\0' }, 'description: must not contain null bytes'],
    [{ tags: { a: 1 } }, 'tags.a: '],
    [{ tags: { '': 'a' } }, 'tags.: '],
  ])('%j is refused where it is', (task, problem) => {
    expect(problemsOf(task)).toEqual([expect.stringContaining(problem)]);
  });
});
