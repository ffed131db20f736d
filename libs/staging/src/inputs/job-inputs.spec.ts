import { JobError } from '#lib/jobs';
import { describe, expect, it } from 'vitest';
import { JobInputs } from './job-inputs.js';

const limits = { inputLimitBytes: 60, jobInputsLimitBytes: 100 };
const details = (path: string) => ({ url: `file:///data${path}`, path });

function refusal(work: () => void): JobError {
  try {
    work();
  } catch (error) {
    if (error instanceof JobError) return error;
  }
  throw new Error('nothing was refused');
}

describe('the inputs of a job', () => {
  it('have a bound together, also side by side, that the last byte is refused by', () => {
    const inputs = new JobInputs(limits, 2);
    const [a, b] = [inputs.begin(details('/a')), inputs.begin(details('/b'))];
    for (let turn = 0; turn < 5; turn++) for (const input of [a, b]) input.take(10);
    const refused = refusal(() => b.take(1));
    expect([refused.code, refused.message]).toEqual([
      'inputs-too-large',
      'The inputs do not fit: with file:///data/b for /b they have at least 101 bytes together, and all inputs of a job may have 100.',
    ]);
    expect(refused.entry).toMatchObject({ fault: 'submitter', retryable: false, mayBeNode: false });
  });

  it('have a bound each', () => {
    const inputs = new JobInputs(limits, 1);
    const input = inputs.begin(details('/a'));
    input.take(60);
    expect(refusal(() => input.take(1)).code).toBe('input-too-large');
    expect(refusal(() => inputs.begin(details('/b')).announce(61)).code).toBe('input-too-large');
  });

  it('are refused by what they announce, before it comes', () => {
    const inputs = new JobInputs(limits, 3);
    inputs.begin(details('/a')).announce(50);
    const listed = inputs.begin(details('/b'));
    listed.expect(20);
    listed.expect(50);
    expect(refusal(() => inputs.begin(details('/c')).announce(1)).code).toBe('inputs-too-large');
  });

  it('are counted as they are, where they were announced as larger or smaller', () => {
    const inputs = new JobInputs(limits, 3);
    const smaller = inputs.begin(details('/a'));
    smaller.announce(50);
    smaller.take(10);
    smaller.end();
    const larger = inputs.begin(details('/b'));
    larger.announce(10);
    larger.take(40);
    larger.end();
    inputs.begin(details('/c')).announce(50);
    expect(inputs.progress).toEqual({ inputs: 2, bytes: 50, totalBytes: 100 });
  });

  it('tell how far they are from the first that is begun until the last is staged', () => {
    const inputs = new JobInputs(limits, 2);
    expect(inputs.progress).toBeNull();
    const a = inputs.begin(details('/a'));
    a.announce(40);
    a.take(15);
    expect(inputs.progress).toEqual({ inputs: 0, bytes: 15, totalBytes: null });
    a.take(25);
    a.end();
    const b = inputs.begin(details('/b'));
    b.announce(null);
    b.take(5);
    expect(inputs.progress).toEqual({ inputs: 1, bytes: 45, totalBytes: null });
    b.announce(7);
    expect(inputs.progress).toEqual({ inputs: 1, bytes: 45, totalBytes: 47 });
    b.end();
    expect(inputs.progress).toBeNull();
  });

  it('have a bound of names together', () => {
    const inputs = new JobInputs(limits, 2);
    const [a, b] = [inputs.begin(details('/a')), inputs.begin(details('/b'))];
    let names = 0;
    while (a.takeName() && b.takeName()) names += 2;
    expect(names).toBe(100_000);
  });
});
