import { describe, expect, it } from 'vitest';
import { offeredMonitorings } from './offered-monitorings.js';

describe('offeredMonitorings', () => {
  it.each([
    [{ recorder: true, strace: true }, ['none', 'syscalls', 'arguments', 'files', 'trace']],
    [{ recorder: true, strace: false }, ['none', 'syscalls', 'arguments', 'files']],
    [{ recorder: false, strace: true }, ['none', 'trace']],
    [{ recorder: false, strace: false }, ['none', 'trace-notify']],
  ])('has the supervisor’s trace only where nothing else is: %j', (node, monitorings) => {
    expect(offeredMonitorings(node)).toEqual(monitorings);
  });
});
