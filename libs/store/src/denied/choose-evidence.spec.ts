import { type Recording } from '#lib/profiles';
import { describe, expect, it } from 'vitest';
import { chooseEvidence, type DeniedRecording } from './choose-evidence.js';

const denied = (executorRunId: string, submittedBy: string, asked: number): DeniedRecording => ({
  ...{ executorRunId, submittedBy },
  recording: {
    calls: Object.fromEntries(Array.from({ length: asked }, (_, index) => [`call${index}`, 1])),
  } as Recording,
});
const size = (chosen: readonly DeniedRecording[]): number =>
  chosen.reduce((sum, { recording }) => sum + Object.keys(recording.calls).length, 0);
const ids = (chosen: readonly DeniedRecording[]): readonly string[] => chosen.map(({ executorRunId }) => executorRunId);
const fits = (chosen: readonly DeniedRecording[]): boolean => size(chosen) <= 10;

describe('a proposal is made', () => {
  it('of all runs where they are one', () => {
    expect(ids(chooseEvidence([denied('a', 'x', 5), denied('b', 'y', 5)], fits))).toEqual(['a', 'b']);
  });

  it('without those of who asks for most, in one run or in many', () => {
    const honest = [denied('a', 'x', 2), denied('b', 'y', 3)];
    expect(ids(chooseEvidence([denied('h', 'z', 9), ...honest], fits))).toEqual(['a', 'b']);
    const many = Array.from({ length: 9 }, (_, index) => denied(`h${index}`, 'z', 1));
    const chosen = ids(chooseEvidence([...many, ...honest], fits));
    expect(chosen).toEqual(expect.arrayContaining(['a', 'b']));
    expect(chosen).toHaveLength(7);
  });

  it('of the newest where two ask for as much, and what they ask for together was decided against', () => {
    const isUsable = (chosen: readonly DeniedRecording[]) => chosen.length === 1;
    expect(ids(chooseEvidence([denied('a', 'x', 1), denied('b', 'y', 1)], isUsable))).toEqual(['b']);
  });

  it('of one alone where none goes with another, and of none where none is usable', () => {
    const runs = [denied('a', 'x', 1), denied('b', 'y', 2), denied('c', 'z', 3)];
    expect(ids(chooseEvidence(runs, (chosen) => ids(chosen).join() === 'c'))).toEqual(['c']);
    expect(chooseEvidence(runs, () => false)).toEqual([]);
  });

  it('without asking about every run', () => {
    let asked = 0;
    const runs = Array.from({ length: 1000 }, (_, index) => denied(`r${index}`, `s${index}`, 1));
    chooseEvidence(runs, () => {
      asked++;
      return false;
    });
    expect(asked).toBeLessThan(25);
  });
});
