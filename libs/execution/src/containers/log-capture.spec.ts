import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { LogCapture } from './log-capture.js';

function frame(stream: 1 | 2, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

async function capture(chunks: readonly Buffer[], limitBytes = 1000) {
  const text = { stdout: '', stderr: '' };
  const logs = new LogCapture(Readable.from(chunks), limitBytes, (stream, chunk) => (text[stream] += chunk.toString()));
  await logs.ended;
  return { ...text, summary: logs.summary() };
}

const FRAMES = Buffer.concat([frame(1, 'one\n'), frame(2, 'two\n'), frame(1, ''), frame(1, 'three\n')]);

describe('the standard streams', () => {
  it('are told apart', async () => {
    expect(await capture([FRAMES])).toMatchObject({ stdout: 'one\nthree\n', stderr: 'two\n' });
  });

  it('may arrive in any pieces', async () => {
    const whole = await capture([FRAMES]);
    for (const size of [1, 2, 3, 7, 8, 9, 13]) {
      const pieces = Array.from({ length: Math.ceil(FRAMES.length / size) }, (_, index) =>
        FRAMES.subarray(index * size, (index + 1) * size),
      );
      expect(await capture(pieces)).toEqual(whole);
    }
  });

  it('are kept up to the bound each, and counted beyond it', async () => {
    const { stdout, stderr, summary } = await capture([frame(1, 'abcdef'), frame(1, 'ghi'), frame(2, 'xy')], 4);
    expect([stdout, stderr]).toEqual(['abcd', 'xy']);
    expect(summary).toEqual({ stdout: { bytes: 4, droppedBytes: 5 }, stderr: { bytes: 2, droppedBytes: 0 } });
  });

  it('that break off are an error of the engine’s', async () => {
    const stream = new PassThrough();
    const logs = new LogCapture(stream, 10, () => undefined);
    stream.destroy(new Error('reset'));
    await expect(logs.ended).rejects.toMatchObject({ code: 'engine-error' });
    await expect(logs.broken).rejects.toMatchObject({ code: 'engine-error' });
  });
});
