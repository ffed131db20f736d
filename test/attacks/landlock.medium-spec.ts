/** The Landlock domain alone, under a profile that allows every call: who is beyond it, and that it cannot be widened. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { nodeArchitecture, type Profile, syscallNames } from '#lib/profiles';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compile } from './attack-image.js';
import { type AttackRun, AttackRuns, PROGRAM } from './attack-runs.js';

const ARCHITECTURE = nodeArchitecture(process.arch);
const EVERYTHING: Profile = {
  version: 1,
  architecture: ARCHITECTURE,
  rules: [{ names: [...syscallNames(ARCHITECTURE)].sort(), action: 'SCMP_ACT_ALLOW' }],
  network: 'none',
};
const FILES: Profile['files'] = [{ path: PROGRAM, rights: ['read', 'execute'] }];
/** With scopes for signals and abstract sockets (Linux 6.12). */
const SCOPED_ABI = 6;
const NO_SCOPES = 'this kernel has no Landlock scopes';

let runs: AttackRuns;
let landlockAbi: number;
let program: string;

beforeAll(async () => {
  runs = await AttackRuns.create();
  program = join(runs.runs.directory, 'neighbour');
  compile(program);
  ({ landlockAbi } = (await runs.enforce(EVERYTHING, [PROGRAM])).report.sandbox);
});

afterAll(() => runs.close());

/** What the payload says, and what its neighbour does. */
async function connect(profile: Profile): Promise<{ run: AttackRun; neighbour: string }> {
  let neighbour = '';
  let listener: ChildProcess | undefined;
  let ended: Promise<unknown> | undefined;
  const run = await runs.enforce(profile, [PROGRAM, 'abstract-neighbour'], {
    during: async (runId) => {
      const { info } = await runs.runs.inspect(runId);
      const child = spawn('nsenter', [`--net=/proc/${info.State.Pid}/ns/net`, program, 'neighbour']);
      child.stdout.on('data', (chunk: Buffer) => (neighbour += chunk.toString()));
      ended = once(child, 'close');
      listener = child;
    },
  });
  if (run.says.connect !== 'ok') listener?.kill();
  await ended;
  return { run, neighbour };
}

it('lets a neighbour in the network namespace be reached over an abstract name without file rules', async () => {
  const { run, neighbour } = await connect(EVERYTHING);
  expect(run.says).toMatchObject({ socket: 'ok', connect: 'ok' });
  expect(neighbour).toBe('neighbour reached\n');
});

it('with file rules does not: the domain’s scope refuses, and nothing is reported', async ({ skip }) => {
  skip(landlockAbi < SCOPED_ABI, NO_SCOPES);
  const { run, neighbour } = await connect({ ...EVERYTHING, files: FILES });
  expect(run.report.landlockStatus).toBe('FULLY_ENFORCED');
  expect(run.says).toMatchObject({ socket: 'ok', connect: 'EPERM', honest: expect.any(String) });
  expect(run.denials).toEqual([]);
  expect(neighbour).toBe('');
});

it('is not widened by a ruleset of the payload’s own', async ({ skip }) => {
  skip(landlockAbi < SCOPED_ABI, NO_SCOPES);
  const run = await runs.enforce({ ...EVERYTHING, files: FILES }, [PROGRAM, 'widen-landlock']);
  expect(run.says).toMatchObject({ create: 'ok', add: 'ok', 'add-root': 'ok', restrict: 'ok', passwd: 'EACCES' });
  expect(run.says).toHaveProperty('honest');
});

it('holds what a program that it started opens, and who its children signal', async ({ skip }) => {
  skip(landlockAbi < SCOPED_ABI, NO_SCOPES);
  const run = await runs.enforce({ ...EVERYTHING, files: FILES }, [
    PROGRAM,
    'read-through',
    'exec-shell',
    'init-signals',
  ]);
  expect(run.says).toMatchObject({
    'through-link': 'EACCES',
    'through-descriptor': 'EACCES',
    'through-directory': 'EACCES',
    execve: 'EACCES',
    kill: 'EPERM',
    stop: 'EPERM',
  });
  expect(run.says).toHaveProperty('honest');
  expect(run.denials).toEqual([]);
});

it('does not hold the execution of a file without a name: that is the filter’s to refuse', async ({ skip }) => {
  skip(landlockAbi < SCOPED_ABI, NO_SCOPES);
  const run = await runs.enforce({ ...EVERYTHING, files: FILES }, [PROGRAM, 'exec-memory', 'exec-output']);
  expect(run.stdout).toContain('memfd_create ok\nwrite ok\nuser own\nbpf EPERM\nchild exit-7\n');
  // The same program in a named file.
  expect(run.says).toMatchObject({ execve: 'EACCES', child: 'exit-95' });
});
