import { describe, expect, it } from 'vitest';
import { statusField } from './environment.js';

const STATUS = 'Name:\tnode\nSpeculation_Store_Bypass:\tthread vulnerable\nCpus_allowed_list:\t0-1\n';

describe('statusField', () => {
  it('reads a field of /proc/<pid>/status', () => {
    expect(statusField(STATUS, 'Speculation_Store_Bypass')).toBe('thread vulnerable');
    expect(statusField(STATUS, 'Cpus_allowed_list')).toBe('0-1');
  });

  it('says so where an older kernel has no such field', () => {
    expect(statusField(STATUS, 'Cpus_allowed')).toBe('unknown');
  });
});
