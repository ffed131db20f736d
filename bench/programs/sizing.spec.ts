import { describe, expect, it } from 'vitest';
import { isSized, nextMinutes, type Sized } from './sizing.js';

/** Tries lengths on a machine whose payload takes `startMs` and `msPerMinute`. */
function calibrate(startMs: number, msPerMinute: number): Sized[] {
  const tries: Sized[] = [];
  while (!tries.some(isSized)) {
    const minutes = nextMinutes(tries);
    tries.push({ minutes, wallMs: startMs + msPerMinute * minutes });
    if (tries.length > 10) throw new Error('it does not converge');
  }
  return tries;
}

describe('nextMinutes', () => {
  it.each([
    [150, 1],
    [150, 10],
    [300, 0.5],
    [50, 100],
    [10, 0.2],
  ])('finds a length where the start takes %d ms and a minute %d ms', (startMs, msPerMinute) => {
    const tries = calibrate(startMs, msPerMinute);
    expect(tries.length).toBeLessThan(7);
    const { wallMs } = tries.at(-1) as Sized;
    expect(wallMs).toBeGreaterThan(500);
    expect(wallMs).toBeLessThan(1000);
  });

  it('stays where the length does', () => {
    expect(nextMinutes([{ minutes: 33, wallMs: 700 }])).toBe(33);
  });

  it('goes on in the right direction where noise hides the slope', () => {
    const tries = [
      { minutes: 10, wallMs: 100 },
      { minutes: 20, wallMs: 90 },
    ];
    expect(nextMinutes(tries)).toBe(40);
  });
});
