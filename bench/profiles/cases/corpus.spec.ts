import { describe, expect, it } from 'vitest';
import { PROFILE_LEVELS } from '../report/counts.js';
import { parseCorpus, readCorpus } from './corpus.js';
import { LEARN_FROM, LEARNED_CASES } from './learn-from.js';
import { planOf, REPETITIONS } from './plan.js';

const CORPUS = readCorpus();
const options = { levels: PROFILE_LEVELS, cases: undefined, mode: 'stages' as const };

describe('the corpus', () => {
  it('has the twelve applications and the example, each with cases to learn from and many that are held out', () => {
    expect(CORPUS).toHaveLength(13);
    for (const { name, learn, heldOut } of CORPUS) {
      expect(learn.length, name).toBeGreaterThan(LEARNED_CASES);
      expect(heldOut.length, name).toBeGreaterThanOrEqual(9);
      const ids = [...learn, ...heldOut].map(({ id }) => id);
      expect(new Set(ids).size, name).toBe(ids.length);
    }
  });

  it('has the applications that are repeated', () => {
    const names = CORPUS.map(({ name }) => name);
    expect(REPETITIONS.applications.filter((name) => !names.includes(name))).toEqual([]);
  });

  it.each(LEARN_FROM)('gives Porin two different inputs at least, learned from by %s', (learnFrom) => {
    for (const application of CORPUS) {
      const { learned } = planOf(application, { ...options, learnFrom });
      expect(learned, application.name).toHaveLength(LEARNED_CASES);
      const done = learned.map(({ command, inputs }) => JSON.stringify({ command, inputs }));
      expect(new Set(done).size, application.name).toBeGreaterThanOrEqual(2);
      expect(learned.map(({ exit }) => exit)).toEqual([0, 0, 0]);
    }
  });

  it('names only inputs that a case has, and outputs below a folder that the job mounts', () => {
    for (const { name, learn, heldOut } of CORPUS) {
      for (const { id, command, inputs, outputs } of [...learn, ...heldOut]) {
        const words = command.join(' ');
        // A case may be about an input that is not there.
        const named = [...words.matchAll(/\/in\/([\w.]+)/g)].map(([, file]) => file ?? '');
        const absent = named.filter((file) => !file.startsWith('nosuch') && !inputs.includes(file));
        expect(absent, `${name} ${id}`).toEqual([]);
        if (words.includes('/out/')) expect(outputs.length, `${name} ${id}`).toBeGreaterThan(0);
      }
    }
  });

  it('is refused with a member that nobody knows', () => {
    const text = JSON.stringify({
      a: { image: 'bio', commandPrefix: [], cases: [{ id: 'l00', kind: 'data', cmd: [] }] },
    });
    expect(() => parseCorpus(text)).toThrow(/cmd/);
  });

  it('gives an application’s resources to all of its cases, and a case’s own over them', () => {
    const cases = [
      { id: 'l00', kind: 'data', command: [] },
      { id: 'h01', kind: 'data', command: [], resources: { cpuMilli: 2000 } },
    ];
    const text = JSON.stringify({ a: { image: 'bio', commandPrefix: [], resources: { memoryBytes: 7 }, cases } });
    const [application] = parseCorpus(text);
    expect(application?.learn[0]?.resources).toEqual({ memoryBytes: 7 });
    expect(application?.heldOut[0]?.resources).toEqual({ memoryBytes: 7, cpuMilli: 2000 });
  });
});
