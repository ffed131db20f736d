import { EventEmitter } from 'node:events';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { BodyMemory } from './body-memory.js';
import { parseBody, readBytes } from './read-body.js';

const LIMIT_BYTES = 4 * 1024 ** 2;

/** As far as it is read. */
function body() {
  const request = Object.assign(new EventEmitter(), { headers: {}, pause: () => undefined });
  const share = new BodyMemory(LIMIT_BYTES).open('a');
  const bytes = readBytes(request as unknown as IncomingMessage, {} as ServerResponse, {
    limitBytes: LIMIT_BYTES,
    share,
  });
  return { request, bytes };
}

describe('a body that is no JSON', () => {
  it.each([
    '{"token": "swordfish" x}',
    '{"token": "swordfish',
    '{"token": swordfish}',
    'swordfish',
    '{"a": "swordfish"',
  ])('is refused without a word of it: %s', (text) => {
    let message = '';
    try {
      parseBody(Buffer.from(text));
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(/^The body is no JSON: .+\.$/);
    expect(message).not.toMatch(/sword|fish/);
  });
});

describe('the bytes of a body', () => {
  it('are those that came, in parts of any length', async () => {
    const { request, bytes } = body();
    const parts = [Buffer.from('a'), Buffer.alloc(0), Buffer.alloc(100_000, 'b'), Buffer.from('c'.repeat(20_000))];
    for (const part of parts) request.emit('data', part);
    request.emit('end');
    expect((await bytes).equals(Buffer.concat(parts))).toBe(true);
  });

  it('take no more memory where they come one by one', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const { request, bytes } = body();
    const whole = Buffer.alloc(LIMIT_BYTES, 'a');
    const usage = () => {
      collect();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const before = usage();
    for (let index = 0; index < 1_000_000; index++) request.emit('data', whole.subarray(index, index + 1));
    // A million objects of 261 bytes would be 250 MiB.
    expect(usage() - before).toBeLessThan(32 * 1024 ** 2);
    request.emit('end');
    expect((await bytes).length).toBe(1_000_000);
  });

  it('are refused beyond the limit', async () => {
    const { request, bytes } = body();
    request.emit('data', Buffer.alloc(LIMIT_BYTES));
    request.emit('data', Buffer.alloc(1));
    await expect(bytes).rejects.toMatchObject({ code: 'body-too-large' });
  });
});
