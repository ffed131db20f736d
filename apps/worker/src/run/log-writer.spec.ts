import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { LogWriter } from './log-writer.js';

describe('the log writer', () => {
  it('writes each stream whole and in order', async () => {
    const written: [string, number, string][] = [];
    const writer = new LogWriter((stream, offset, content) => {
      written.push([stream, offset, content.toString()]);
      return Promise.resolve();
    });
    writer.write('stdout', Buffer.from('one '));
    writer.write('stdout', Buffer.from('two'));
    writer.write('stderr', Buffer.from('!'));
    const summary = await writer.end();
    expect(written).toEqual([
      ['stdout', 0, 'one two'],
      ['stderr', 0, '!'],
    ]);
    expect(summary.stdout).toEqual({ bytes: 7, sha256: createHash('sha256').update('one two').digest('hex') });
  });

  it('writes before the end what fills a chunk', async () => {
    const offsets: number[] = [];
    const writer = new LogWriter((_stream, offset) => {
      offsets.push(offset);
      return Promise.resolve();
    });
    writer.write('stdout', Buffer.alloc(70_000));
    writer.write('stdout', Buffer.alloc(10));
    await new Promise((resolve) => setImmediate(resolve));
    expect(offsets).toEqual([0]);
    await writer.end();
    expect(offsets).toEqual([0, 70_000]);
  });

  it('throws at the end what a write failed with, and leaves no hole before later ones', async () => {
    let writes = 0;
    const writer = new LogWriter(
      () => {
        writes += 1;
        return Promise.reject(new Error('the database is gone'));
      },
      { times: 2, pauseMs: 0 },
    );
    writer.write('stdout', Buffer.alloc(70_000));
    writer.write('stdout', Buffer.alloc(70_000));
    await expect(writer.end()).rejects.toThrow('the database is gone');
    expect(writes).toBe(3);
  });

  it('tries a chunk again that could not be written, before any later one', async () => {
    const offsets: number[] = [];
    const writer = new LogWriter(
      (_stream, offset) => {
        offsets.push(offset);
        return offsets.length === 1 ? Promise.reject(new Error('Postgres starts again')) : Promise.resolve();
      },
      { times: 2, pauseMs: 0 },
    );
    writer.write('stdout', Buffer.alloc(70_000));
    writer.write('stdout', Buffer.alloc(10));
    expect((await writer.end()).stdout.bytes).toBe(70_010);
    expect(offsets).toEqual([0, 0, 70_000]);
  });
});
