/** The example application under its learned profile: attacks that come in by data and environment, and what is closed. */
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Mount } from '#lib/execution';
import {
  closedVulnerabilities,
  closedWithConditions,
  engineDefaultNames,
  type Profile,
  VULNERABILITIES,
} from '#lib/profiles';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildEdfImage } from '../../scripts/images/build-image.js';
import { compilePreload } from './attack-image.js';
import { type AttackOptions, type AttackRun, AttackRuns } from './attack-runs.js';

const ROOT = process.cwd();
const MIB = 1024 * 1024;
const LIMITS = { memoryBytes: 512 * MIB, cpuMilli: 2000 };
const NIGHTS = [
  ['--seed', '1', '--channels', '7', '--minutes', '1'],
  ['--seed', '2', '--channels', '12', '--minutes', '2'],
];
const NORMALISE = ['python3', '-m', 'edf_normalize', '--input', '/in/night.edf', '--output', '/out/result.edf'];
/** Each with the call that stops it; some make others on the way there, which are reported too. */
const PLUGINS_DENIED = [
  ['steal_passwd', '1 x socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, 0) EPERM'],
  ['raw_socket', '1 x socket(AF_INET, SOCK_RAW|SOCK_CLOEXEC, 6) EPERM'],
  ['start_shell', '1 x execve("/bin/sh") EPERM'],
  ['trace_parent', '1 x ptrace(PTRACE_SEIZE, pid 1) EPERM'],
  ['load_bpf', '1 x bpf(BPF_PROG_LOAD) EPERM'],
  ['unshare', '1 x unshare(CLONE_NEWNS|CLONE_NEWUSER) EPERM'],
] as const;
const PLUGINS = PLUGINS_DENIED.map(([plugin]) => plugin);

let runs: AttackRuns;
let imageId: string;
let profile: Profile;
/** With conditions and file rules. */
let precise: Profile;
let nights: readonly Mount[];
let plain: string;

beforeAll(async () => {
  runs = await AttackRuns.create();
  imageId = (await buildEdfImage({ docker: runs.runs.docker, cacheDir: join(ROOT, '.porin/cache'), log: console.log }))
    .imageId;
  nights = [await night(NIGHTS[0]!), await night(NIGHTS[1]!)];
  for (const plugin of PLUGINS) {
    copyFileSync(join(ROOT, 'examples/edf-normalize/plugins', `${plugin}.py`), join(nights[0]!.source, `${plugin}.py`));
  }
  compilePreload(join(nights[0]!.source, 'preload.so'));
  const each = nights.map((mount) => ({ imageId, limits: LIMITS, mounts: [mount] }));
  profile = await runs.learn(NORMALISE, each);
  precise = await runs.learn(NORMALISE, each, 'files');
  const unwatched = await normalise({ level: { enforcement: 'none', monitoring: 'none' } });
  plain = unwatched.sha256;
});

afterAll(async () => {
  expect(await runs.runs.leftContainers()).toEqual([]);
  await runs.close();
});

/** A recording as an input, made by the example's own generator. */
async function night(options: readonly string[]): Promise<Mount> {
  const source = mkdtempSync(join(runs.runs.directory, 'night-'));
  chmodSync(source, 0o755);
  const command = ['python3', '/opt/edf-normalize/generate.py', '--output', '/out/night.edf', ...options];
  await runs.run(command, {
    imageId,
    limits: LIMITS,
    afterwards: (directory) => {
      copyFileSync(join(directory, 'night.edf'), join(source, 'night.edf'));
      return Promise.resolve();
    },
  });
  return { source, target: '/in', readOnly: true };
}

async function normalise(
  changes: AttackOptions,
  options: readonly string[] = [],
  enforced = profile,
): Promise<AttackRun & { readonly sha256: string }> {
  let sha256 = '';
  const run = await runs.enforce(enforced, [...NORMALISE, ...options], {
    imageId,
    limits: LIMITS,
    mounts: [nights[0]!],
    afterwards: (directory) => {
      sha256 = createHash('sha256')
        .update(readFileSync(join(directory, 'result.edf')))
        .digest('hex');
      return Promise.resolve();
    },
    ...changes,
  });
  return { ...run, sha256 };
}

function expectHonest(run: Awaited<ReturnType<typeof normalise>>): void {
  expect(run.report.outcome).toEqual({ kind: 'exited', exitCode: 0 });
  expect(run.sha256).toBe(plain);
}

describe('the example application', () => {
  it('gives the same bytes under the profile that was learned from it, and nothing is denied', async () => {
    const run = await normalise({});
    expectHonest(run);
    expect(run.stderr).toBe('');
    expect(run.denials).toEqual([]);
  });

  it.each(PLUGINS_DENIED)('is attacked by the plug-in %s, and goes on', async (plugin, denial) => {
    const run = await normalise({}, ['--plugin', `/in/${plugin}.py`]);
    expectHonest(run);
    expect(JSON.parse(run.stderr)).toMatchObject({ result: 'denied' });
    expect(run.denials).toContain(denial);
  });

  it('gives the same bytes under conditions and file rules too', async () => {
    const run = await normalise({}, [], precise);
    expectHonest(run);
    expect(run.stderr).toBe('');
    expect(run.denials).toEqual([]);
    const { landlockAbi } = run.report.sandbox;
    expect(run.report.landlockStatus).toBe(landlockAbi >= 6 ? 'FULLY_ENFORCED' : 'PARTIALLY_ENFORCED');
  });

  it('may then not even open /etc/passwd, which the kernel refuses', async () => {
    const run = await normalise({}, ['--plugin', '/in/steal_passwd.py'], precise);
    expectHonest(run);
    expect(JSON.parse(run.stderr)).toMatchObject({ result: 'denied', errno: 'EACCES' });
    expect(run.denials).toEqual([]);
  });

  it('is attacked by a library that the job’s environment makes it load, and goes on', async () => {
    const run = await normalise({ environment: { LD_PRELOAD: '/in/preload.so' } });
    expectHonest(run);
    expect(run.stderr).toBe('socket EPERM\nptrace EPERM\nmemfd_create ENOSYS\nexecve EPERM\n');
    expect(run.denials).toEqual([
      '1 x execve("/bin/sh") EPERM',
      '1 x memfd_create("library", 0) ENOSYS',
      '1 x ptrace(PTRACE_ATTACH, pid 1) EPERM',
      '1 x socket(AF_INET, SOCK_STREAM, 0) EPERM',
    ]);
  });
});

describe('known vulnerabilities of the kernel', () => {
  it('are closed by the learned profile, more than by the engine’s default', () => {
    const rules = [{ names: engineDefaultNames(profile.architecture), action: 'SCMP_ACT_ALLOW' as const }];
    const byDefault = closedVulnerabilities({ ...profile, rules });
    const closed = closedVulnerabilities(profile);
    console.log(
      `the EDF profile closes ${closed.length} of ${VULNERABILITIES.length}, Docker's default ${byDefault.length}\n` +
        `closed by the EDF profile: ${closed.map(({ cve, calls }) => `${cve} (${calls.join(', ')})`).join(', ')}`,
    );
    expect(byDefault).toHaveLength(10);
    expect(closed.length).toBeGreaterThan(20);
    expect(closed).toEqual(expect.arrayContaining([...byDefault]));
    const withConditions = closedWithConditions(precise);
    console.log(`with conditions on arguments it closes ${withConditions.length}`);
    expect(withConditions).toEqual(expect.arrayContaining([...closedVulnerabilities(precise)]));
    expect(withConditions.length).toBeGreaterThan(closedVulnerabilities(precise).length);
  });
});
