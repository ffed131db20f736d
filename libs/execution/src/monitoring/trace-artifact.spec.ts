import { createHash, randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { TraceArtifact } from './trace-artifact.js';

function collect(maximumBytes: number) {
  const parts: Buffer[] = [];
  const artifact = new TraceArtifact(maximumBytes, (part) => {
    parts.push(part);
    return Promise.resolve();
  });
  return { artifact, bytes: () => Buffer.concat(parts), text: () => gunzipSync(Buffer.concat(parts)).toString() };
}

describe('the artifact of a trace', () => {
  it('is one gzip file of all lines in order, with its size and digest', async () => {
    const { artifact, bytes, text } = collect(1_000_000);
    const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index} of the trace`);
    for (const line of lines) await artifact.write([line]);
    const summary = await artifact.end();
    expect(text()).toBe(`${lines.join('\n')}\n`);
    const sha256 = createHash('sha256').update(bytes()).digest('hex');
    expect(summary).toEqual({ bytes: bytes().length, sha256, lines: 20_000, truncated: false });
  });

  it('can be read up to what has been written while more is to come', async () => {
    const { artifact, bytes, text } = collect(40_000);
    await artifact.write(Array.from({ length: 2000 }, (_, index) => `line ${index}`));
    expect(bytes().length).toBeGreaterThan(0);
    expect(text()).toMatch(/^line 0\n.*line 1999\n$/s);
    artifact.drop();
  });

  it('is cut before its maximum, whole lines only, and says so in its last', async () => {
    const { artifact, bytes, text } = collect(20_000);
    // What does not compress.
    const line = () => randomBytes(50).toString('base64');
    let written = 0;
    for (; !artifact.full; written += 1) await artifact.write([line()]);
    await artifact.write([line()]);
    const summary = await artifact.end();
    expect(summary).toMatchObject({ truncated: true, bytes: bytes().length });
    expect(summary.bytes).toBeLessThanOrEqual(20_000);
    expect(summary.bytes).toBeGreaterThan(10_000);
    const kept = text().trimEnd().split('\n');
    expect(kept.pop()).toBe('+++ the trace was cut at 20000 bytes; the payload went on +++');
    expect(kept).toHaveLength(summary.lines);
    expect(summary.lines).toBeLessThan(written);
    expect(kept.every((each) => /^[A-Za-z0-9+/]{67}=$/.test(each))).toBe(true);
  });

  it('says why it is not complete', async () => {
    const { artifact, text } = collect(1_000);
    await artifact.write(['one']);
    expect(await artifact.end('strace was ended by SIGKILL')).toMatchObject({ truncated: true, lines: 1 });
    expect(text()).toBe('one\n+++ strace was ended by SIGKILL; the payload went on +++\n');
  });

  it('rejects with what its sink rejected with, and is not called done', async () => {
    const artifact = new TraceArtifact(1_000_000, () => Promise.reject(new Error('the database is gone')));
    await artifact.write(['one']);
    await expect(artifact.end()).rejects.toThrow('the database is gone');
  });
});
