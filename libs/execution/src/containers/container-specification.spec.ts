import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type ExecutorRunRequest } from '../executor-run.js';
import { containerSpecification } from './container-specification.js';
import { payloadPolicy } from './payload-policy.js';

const GIB = 1024 ** 3;
const image = {
  entrypoint: ['/bin/tool'],
  command: ['--help'],
  environment: ['PATH=/opt/bin', 'LD_PRELOAD=/evil.so', 'EMPTY'],
  workingDirectory: '/work',
  user: 'root',
  volumes: ['/data'],
};
const parts = {
  initPath: '/native/porin-init',
  socketPath: '/run/p/1.sock',
  token: 'ab',
  image,
  architecture: 'x86_64',
} as const;
const request: ExecutorRunRequest = {
  runId: randomUUID(),
  labels: { 'porin.job': 'j' },
  imageId: `sha256:${'1'.repeat(64)}`,
  imageVolumes: ['/data', '/in/', '/data'],
  command: [],
  environment: { NAME: 'value' },
  uid: 200_001,
  gid: 200_002,
  limits: { cpuMilli: 1500, memoryBytes: GIB, diskBytes: 4 * GIB, pids: 100, wallTimeMs: 1000, logBytes: 1000 },
  mounts: [{ source: '/host/in', target: '/in', readOnly: true }],
  scratchDirectory: '/host/scratch',
  level: { enforcement: 'none', monitoring: 'none' },
  filter: { filter: [], answer: [] },
};
const hostConfig = (changes: Partial<ExecutorRunRequest> = {}) =>
  containerSpecification({ ...request, ...changes }, parts).HostConfig;

describe('the container', () => {
  it('starts porin-init alone, with nothing of the image’s environment', () => {
    expect(containerSpecification(request, parts)).toMatchObject({
      Entrypoint: ['/run/porin/init'],
      Cmd: [],
      Env: ['PATH', 'LD_PRELOAD', 'EMPTY', 'PORIN_CONTROL=/run/porin/control.sock', 'PORIN_TOKEN=ab'],
      User: '200001:200002',
      WorkingDir: '/',
      Healthcheck: { Test: ['NONE'] },
      Labels: { 'porin.job': 'j', 'porin.run': request.runId },
    });
  });

  it('has no right that it does not need', () => {
    expect(hostConfig()).toMatchObject({
      CapDrop: ['ALL'],
      NetworkMode: 'none',
      IpcMode: 'private',
      Init: false,
      ReadonlyRootfs: true,
      SecurityOpt: ['no-new-privileges'],
      LogConfig: { Type: 'none' },
    });
  });

  it('is bounded in everything', () => {
    expect(hostConfig({ cpuset: '0-1' })).toMatchObject({
      Memory: GIB,
      MemorySwap: GIB,
      NanoCpus: 1_500_000_000,
      PidsLimit: 101,
      ShmSize: GIB / 2,
      CpusetCpus: '0-1',
      CgroupParent: 'porin.slice',
    });
    expect(hostConfig()?.Ulimits).toContainEqual({ Name: 'core', Soft: 0, Hard: 0 });
    expect(hostConfig()?.Ulimits).toContainEqual({ Name: 'stack', Soft: 8 * 1024 * 1024, Hard: -1 });
    expect(hostConfig()).not.toHaveProperty('CpusetCpus');
  });

  it.each(['audit', 'enforce'] as const)('has our seccomp profile where ours is the filter: %s', (enforcement) => {
    const options = hostConfig({ level: { enforcement, monitoring: 'none' } })?.SecurityOpt as string[];
    expect(options[0]).toBe('no-new-privileges');
    expect(options[1]).toMatch(/^seccomp=\{"defaultAction":"SCMP_ACT_ALLOW"/);
  });

  it('has memory over /tmp and every VOLUME that nothing is mounted at', () => {
    const tmpfs = hostConfig()?.Tmpfs as Record<string, string>;
    expect(Object.keys(tmpfs)).toEqual(['/tmp', '/data']);
    expect(tmpfs['/data']).toBe(`rw,nosuid,nodev,noexec,size=${GIB / 2},uid=200001,gid=200002,mode=0755`);
    const mounts = [{ source: '/host/tmp', target: '/tmp', readOnly: false }];
    expect(hostConfig({ mounts })?.Tmpfs).not.toHaveProperty('/tmp');
  });

  it.each(['/', '//', 'in', '', '/proc', '/sys/fs', '/dev/shm', '/run/porin', '/in/../proc/1'])(
    'has nothing mounted at "%s"',
    (target) => {
      const mounts = [{ source: '/host', target, readOnly: true }];
      expect(() => containerSpecification({ ...request, mounts }, parts)).toThrow(/mounted at/);
    },
  );

  it('may have mounts beside what is reserved', () => {
    const mounts = [{ source: '/host', target: '/process', readOnly: true }];
    expect(() => containerSpecification({ ...request, mounts }, parts)).not.toThrow();
  });
});

describe('the payload', () => {
  it('is what the image says where the request is silent', () => {
    expect(payloadPolicy(request, image)).toMatchObject({
      arguments: ['/bin/tool', '--help'],
      environment: { PATH: '/opt/bin', HOME: '/tmp', LD_PRELOAD: '/evil.so', EMPTY: '', NAME: 'value' },
      workingDirectory: '/work',
    });
    const bare = { ...image, environment: [], workingDirectory: '' };
    expect(payloadPolicy(request, bare)).toMatchObject({
      environment: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
      workingDirectory: '/',
    });
  });

  it('is what the request says', () => {
    const asked = { command: ['run'], workingDirectory: '/there', environment: { PATH: '/bin' } };
    expect(payloadPolicy({ ...request, ...asked }, image)).toMatchObject({
      arguments: ['run'],
      environment: { PATH: '/bin' },
      workingDirectory: '/there',
    });
  });

  it('meets the cgroup’s limit of processes before the rlimit, and the disk’s end before FSIZE', () => {
    const { rlimits } = payloadPolicy(request, image);
    expect(rlimits.NPROC?.hard).toBeGreaterThan(101);
    expect(rlimits.FSIZE?.hard).toBeGreaterThan(4 * GIB * 1.05);
  });
});
