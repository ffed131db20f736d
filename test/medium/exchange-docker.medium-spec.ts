/** Takes a learned profile elsewhere: `docker run` starts its program under the export, and the plain export loads. */
import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Recorder } from '#lib/execution';
import {
  allowedNames,
  exportOci,
  mergeRecordings,
  type OciOptions,
  encodeProgram,
  nodeArchitecture,
  type Profile,
  type RecordedRun,
  syscallNumber,
} from '#lib/profiles';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExecutorRuns } from '../support/executor-runs.js';
import { compileOracle, engineProgram } from '../support/libseccomp.js';

const run = promisify(execFile);
const ARCHITECTURE = nodeArchitecture(process.arch);
const RECORDER = join(process.cwd(), '.porin/native/porin-recorder');
const LIVE = '.porin/native/live-filter';
const HONEST = 'cat /etc/passwd; (echo one; echo two) | wc -l; ls / | grep tmp; echo done';

const SHELL = ['/bin/sh', '-c', HONEST];
/** Starts no other program, so its profile has no execve. */
const SINGLE = ['/bin/cat', '/etc/passwd'];

let runs: ExecutorRuns;
let recorder: Recorder;
let shell: Profile;
let single: Profile;

beforeAll(async () => {
  compileOracle();
  execFileSync('cc', ['-Wall', '-Wextra', '-Werror', '-O1', '-o', LIVE, 'test/support/live-filter.c']);
  runs = await ExecutorRuns.create();
  recorder = await Recorder.start({ binaryPath: RECORDER });
  shell = await learn(SHELL);
  single = await learn(SINGLE);
});

afterAll(async () => {
  await recorder.close();
  await runs.close();
});

async function learn(command: readonly string[]): Promise<Profile> {
  const recorded: RecordedRun[] = [];
  for (const digest of ['one', 'two']) {
    const request = runs.request(command, { level: { enforcement: 'none', monitoring: 'syscalls' } });
    const { report, stderr } = await runs.run(request, { recorder });
    const { outcome, recording } = report;
    if (outcome.kind !== 'exited' || !recording) throw new Error(`${JSON.stringify(outcome)}: ${stderr}`);
    recorded.push({ digest, inputsDigest: digest, exitCode: outcome.exitCode, recording });
  }
  const result = mergeRecordings(recorded, { needed: 2, distinctInputs: 2 });
  if (result.kind !== 'profile') throw new Error(`Nothing was learned: ${JSON.stringify(result)}`);
  return result.profile;
}

/** As an administrator types it; the answer is the program's, or the engine's when it could not start the program. */
async function dockerRun(profile: Profile, command: readonly string[], options: OciOptions) {
  const file = join(runs.directory, 'seccomp.json');
  writeFileSync(file, JSON.stringify(exportOci(profile, options)));
  const container = ['run', '--rm', '--network', 'none', '--cap-drop', 'ALL', '--user', '65534:65534'];
  const security = ['--security-opt', 'no-new-privileges', '--security-opt', `seccomp=${file}`];
  try {
    const { stdout, stderr } = await run('docker', [...container, ...security, runs.imageId, ...command], {
      timeout: 60_000,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

describe('docker run --security-opt seccomp= with the export of a learned profile', () => {
  const runtimeCalls = true;

  it('runs the program that it was learned from', async () => {
    const { code, stdout, stderr } = await dockerRun(shell, SHELL, { runtimeCalls });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^root:.*\n2\ntmp\ndone\n$/s);
  });

  it('refuses a call outside of the profile, and goes on', async () => {
    const script = ['/bin/sh', '-c', 'kill -0 $$; echo status $?'];
    const { code, stdout } = await dockerRun(shell, script, { runtimeCalls });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'status 1\n' });
  });

  it('starts a program that starts no others with the runtime’s own calls, and not without', async () => {
    expect(allowedNames(single)).not.toContain('execve');
    const started = await dockerRun(single, SINGLE, { runtimeCalls });
    expect(started).toMatchObject({ code: 0, stdout: expect.stringMatching(/^root:/) });
    const { code, stdout } = await dockerRun(single, SINGLE, {});
    expect(stdout).toBe('');
    expect(code).not.toBe(0);
  });
});

it('loads, without the runtime’s calls, into a program that runs already', () => {
  const file = join(runs.directory, 'filter');
  writeFileSync(file, encodeProgram(engineProgram(ARCHITECTURE, exportOci(shell))));
  const calls = ['read', 'openat', 'kill', 'chroot', 'io_uring_enter'];
  const input = calls.map((name) => `${syscallNumber(ARCHITECTURE, name)?.toString(16)} ffffffff 0 0 0 0 0\n`).join('');
  const made = execFileSync(LIVE, [file], { input }).toString().trim().split('\n');
  // Refused with EPERM is "made" to that program: ENOSYS alone is not.
  expect(made).toEqual(['1', '1', '0', '1', '0']);
});
