import { describe, expect, it } from 'vitest';
import { readCorpus } from './corpus.js';
import { jobsOf, planOf } from './plan.js';

describe('the plan', () => {
  it('counts every job beforehand', () => {
    const [application] = readCorpus();
    if (!application) throw new Error('the corpus is empty');
    const options = { learnFrom: 'spread', levels: ['syscalls'], cases: 2, mode: 'direct' } as const;
    // 2 cases twice unrestricted; 3 learned from, 2 enforced, 6 followed.
    expect(jobsOf(planOf(application, options))).toBe(4 + 3 + 2 + 6);
    // The learned ones twice unrestricted, and ten times each.
    expect(jobsOf(planOf(application, { ...options, levels: ['arguments'] }))).toBe(15 + 6 + 30);
    // Five under audit.
    expect(jobsOf(planOf(application, { ...options, mode: 'stages' }))).toBe(15 + 5);
  });
});
