/** Programs under constant signals: what restricts or watches them must not change what their calls return. */
import { departures } from '#lib/profiles';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAITHFUL_LEVELS } from '../support/signals/signal-levels.js';
import { GO, IDLE, inC, SIGNAL_PROGRAMS } from '../support/signals/signal-programs.js';
import { type Result, SignalRuns } from '../support/signals/signal-runs.js';

const EPERM = 1;

let runs: SignalRuns;

beforeAll(async () => {
  runs = await SignalRuns.create();
});
afterAll(async () => {
  expect(await runs.runs.leftContainers()).toEqual([]);
  await runs.close();
});

for (const program of SIGNAL_PROGRAMS) {
  describe.concurrent(`a program that signals interrupt all the time, ${program.name},`, () => {
    it('is interrupted often, and loses nothing, where nothing is around it', async () => {
      expect(await runs.unrestricted(program)).toMatchObject({ stderr: '', outcome: { kind: 'exited', exitCode: 0 } });
    });

    for (const row of FAITHFUL_LEVELS) {
      it(`gives the same under ${row.name}`, async () => {
        const { result, report } = await runs.at(row, program);
        expect(result).toEqual(await runs.unrestricted(program));
        expect(report.recording?.partialReasons ?? []).toEqual([]);
        // Nothing was held and refused; an audit compares the recording.
        expect(report.denials).toEqual([]);
        if (row.profile?.learnedFrom === 'idle') {
          expect(departures(report.recording!, await runs.learned(IDLE, row.profile.kind))).not.toEqual([]);
        }
      });
    }
  });
}

it('the program in Go, which does not count its signals, is interrupted often too', async () => {
  const { report } = await runs.recorded(GO, 'syscalls');
  expect(report.recording?.calls.tgkill).toBeGreaterThan(100);
});

/** Errno's name -> how often. */
function answersOf({ stdout }: Result): Record<string, number> {
  const lines = stdout.trimEnd().split('\n');
  return Object.fromEntries(
    lines.map((line): [string, number] => {
      const [answer = '', count = ''] = line.split(' ');
      return [answer, Number(count)];
    }),
  );
}

describe('a call that is refused while signals interrupt the program', () => {
  const rounds = 20_000;
  const program = inC('C, its refused calls', 'refused', 'statx', String(rounds));
  const level = { enforcement: 'enforce', monitoring: 'none' } as const;

  it('gives its errno or, where the signal came before porin-init had heard of it, EINTR, and is never made', async () => {
    const { rules } = await runs.learned(program, 'syscalls');
    const others = rules.map((rule) => ({ ...rule, names: rule.names.filter((name) => name !== 'statx') }));
    const { result, report } = await runs.run(program, level, { rules: others });
    const { ENOSYS = 0, EINTR = 0, ...wrong } = answersOf(result);
    expect(wrong).toEqual({});
    expect(ENOSYS + EINTR).toBeGreaterThanOrEqual(rounds);
    expect(report.denials).toMatchObject([{ call: 'statx', action: 'refused', errno: 'ENOSYS', count: ENOSYS }]);
  });

  it('gives its errno and nothing else, and is not reported, where its profile refuses it quietly', async () => {
    const quiet = inC('C, its quiet refusals', 'refused', 'get_mempolicy', String(rounds));
    const { rules } = await runs.learned(quiet, 'syscalls');
    const others = rules.map((rule) => ({ ...rule, names: rule.names.filter((name) => name !== 'get_mempolicy') }));
    const refusal = { names: ['get_mempolicy'], action: 'SCMP_ACT_ERRNO', errnoRet: EPERM } as const;
    const { result, report } = await runs.run(quiet, level, {
      rules: [...others.filter(({ names }) => names.length > 0), refusal],
    });
    const { EPERM: refused = 0, ...wrong } = answersOf(result);
    expect(wrong).toEqual({});
    expect(refused).toBeGreaterThanOrEqual(rounds);
    expect(report.denials).toEqual([]);
  });
});

describe('a trace by notification', () => {
  it('holds nothing with which a program ends, returns from signals or closes files', async () => {
    const ends = SIGNAL_PROGRAMS.find(({ name }) => name === 'C, its ends')!;
    const { result } = await runs.run(ends, { enforcement: 'none', monitoring: 'trace-notify' });
    expect(result).toEqual(await runs.unrestricted(ends));
  });
});
