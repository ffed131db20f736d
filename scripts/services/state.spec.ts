import { describe, expect, it } from 'vitest';
import { parseState, type StackState } from './state.js';

const whole: StackState = {
  services: { redis: { url: 'redis://:secret@127.0.0.1:6380', ours: true } },
  ports: { redis: 6380 },
};

describe('the state file', () => {
  it('is read back as it was written', () => {
    expect(parseState(JSON.stringify(whole))).toEqual(whole);
  });

  it.each([
    ['half-written', JSON.stringify(whole).slice(0, 40)],
    ['empty', ''],
    ['of another form', '{"redis": {"url": 1}}'],
    ['with a port that cannot be', JSON.stringify({ ...whole, ports: { redis: 70000 } })],
  ])('knows nothing when it is %s', (_name, text) => {
    expect(parseState(text)).toEqual({ services: {}, ports: {} });
  });
});
