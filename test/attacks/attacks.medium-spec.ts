/**
 * Every attack of the tables, by a program that was taken over: what the payload gets, what is reported, what stops it, and
 * that its honest work goes on under the same profile.
 */
import { type Profile, syscallNames } from '#lib/profiles';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Attack, type Seen } from './attack.js';
import { SECRET } from './attack-image.js';
import { AttackReport } from './attack-report.js';
import { type AttackRun, AttackRuns, PROGRAM } from './attack-runs.js';
import { stopperProblem } from './attack-stopper.js';
import { FAMILIES } from './families/index.js';

const X86 = process.arch === 'x64';
/** Landlock with scopes for signals and abstract sockets (Linux 6.12). */
const SCOPED_ABI = 6;
const ENDED_WELL = { kind: 'exited', exitCode: 0 } as const;

const report = new AttackReport();
let runs: AttackRuns;
let learned: Profile;
let precise: Profile;
/** A poisoned recording that was approved: every call that this architecture has. */
let everything: Profile;
let honest: AttackRun;

beforeAll(async () => {
  runs = await AttackRuns.create();
  const each = runs.inputs.map((input) => ({ mounts: [input] }));
  learned = await runs.learn([PROGRAM], each);
  precise = await runs.learn([PROGRAM, 'wide'], each, 'files');
  const names = [...syscallNames(learned.architecture)].sort();
  everything = { ...learned, rules: [{ names, action: 'SCMP_ACT_ALLOW' }] };
  honest = await runs.enforce(learned, [PROGRAM]);
});

afterAll(async () => {
  expect(await runs.runs.leftContainers()).toEqual([]);
  await runs.close();
  report.publish(FAMILIES.flatMap(({ attacks }) => attacks.map(({ name }) => name)));
});

/** An attack after which the honest work goes on says what it says, and its result is there. */
function expectSeen(run: AttackRun, { by, says, denials = [], outcome = ENDED_WELL, limitHits }: Seen): void {
  expect(run.report.outcome).toEqual(outcome);
  const steps = Object.entries(says).map(([step, word]) => [step, expect.stringMatching(`^(?:${word})$`) as string]);
  expect(run.says).toEqual({ ...Object.fromEntries(steps), ...(outcome === ENDED_WELL && honest.says) });
  expect(run.denials).toEqual([...denials].sort());
  expect(run.report.denialsDropped).toBe(0);
  if (outcome === ENDED_WELL) expect(run.outputs).toContain('result');
  if (limitHits) expect(run.report.limitHits).toEqual(limitHits);
  expect(run.stdout + run.stderr).not.toContain(SECRET);
  expect(stopperProblem(by, run)).toBeUndefined();
}

describe('the honest program', () => {
  it('works under the profile that was learned from it, and nothing is denied', () => {
    expect(honest.report.outcome).toEqual(ENDED_WELL);
    expect(honest.denials).toEqual([]);
    expect(honest.says).toEqual({ honest: expect.stringMatching(/^[0-9a-f]{16}$/) });
    expect(honest.outputs).toEqual(['result']);
  });

  it('works under conditions and file rules that were learned from it, and all of them are held', async ({ skip }) => {
    skip(honest.report.sandbox.landlockAbi < SCOPED_ABI, 'this kernel has no Landlock scopes');
    const conditional = precise.rules.filter(({ args }) => args).flatMap(({ names }) => names);
    expect(conditional).toEqual(expect.arrayContaining(['ioctl', 'mmap', 'prctl', 'socket']));
    expect(precise.files).toEqual([{ path: PROGRAM, rights: ['read', 'execute'] }]);
    const run = await runs.enforce(precise, [PROGRAM, 'wide']);
    expect(run.report.outcome).toEqual(ENDED_WELL);
    expect(run.report.landlockStatus).toBe('FULLY_ENFORCED');
    expect(run.denials).toEqual([]);
    expect(run.says).toEqual(honest.says);
    expect(run.outputs).toEqual(['latest', 'result']);
  });
});

for (const { name: family, attacks } of FAMILIES) {
  describe.concurrent(`attacks ${family}`, () => {
    const rows = attacks.filter(({ x86Only }) => !x86Only || X86);
    it.each(rows.map((attack) => [attack.name, attack.tries, attack] as const))(
      '%s: %s',
      async (_name, _tries, row) => {
        await attempt(family, row, 'learned', learned);
        if (honest.report.sandbox.landlockAbi >= SCOPED_ABI) await attempt(family, row, 'precise', precise);
        await attempt(family, row, 'everything', everything);
      },
    );
  });
}

async function attempt(family: string, attack: Attack, kind: 'learned' | 'precise' | 'everything', profile: Profile) {
  const command = [PROGRAM, ...(kind === 'precise' ? ['wide'] : []), attack.name];
  const run = await runs.enforce(profile, command);
  expectSeen(run, attack[kind]);
  report.add({ family, attack: attack.name, tries: attack.tries, profile: kind, by: attack[kind].by }, run);
}

describe('floods', () => {
  it('of different denials are bounded in the report, and every call is counted', async () => {
    const { report: seen, denials, says } = await runs.enforce(learned, [PROGRAM, 'many-denials']);
    expect(says).toEqual({ flood: 'ended', ...honest.says });
    expect(denials).toHaveLength(256);
    expect(new Set(denials).size).toBe(256);
    expect(denials).toContain('1 x chroot("/shape/0") EPERM');
    expect(seen.denialsDropped).toBe(400 - 256);
  });

  it('of output are kept up to the limit, and the rest is counted', async () => {
    const { report: seen, stderr, says } = await runs.enforce(learned, [PROGRAM, 'flood-output']);
    expect(says).toEqual({ flood: 'ended', ...honest.says });
    expect(stderr).toHaveLength(1024 * 1024);
    expect(seen.logs.stderr).toEqual({ bytes: 1024 * 1024, droppedBytes: 7 * 1024 * 1024 });
  });
});
