import { describe, expect, it } from 'vitest';
import { canSealTo, NotSealedForThis, SealingKey, sealSecret } from './sealing.js';

const VALUE = { kind: 'basic', user: 'anna', password: 'swordfish' } as const;
const PLACE = { jobId: 'j', fence: 1, nodeId: 'n', name: 's', kind: 'basic', prefix: 'https://host/' } as const;

describe('a sealed secret', () => {
  it('opens with the key that it was sealed to, for the attempt that it was sealed for', async () => {
    const key = await SealingKey.generate();
    const sealed = await sealSecret(key.publicKey, PLACE, VALUE);
    expect(await key.open(PLACE, sealed)).toEqual(VALUE);
    expect(Buffer.from(sealed, 'base64').includes('swordfish')).toBe(false);
  });

  it.each([
    ['another job', { jobId: 'other' }],
    ['another fence', { fence: 2 }],
    ['another node', { nodeId: 'other' }],
    ['another name', { name: 'other' }],
    ['another kind', { kind: 'registry' }],
    ['another prefix', { prefix: 'https://elsewhere/' }],
  ] as const)('does not open for %s', async (_name, change) => {
    const key = await SealingKey.generate();
    const sealed = await sealSecret(key.publicKey, PLACE, VALUE);
    await expect(key.open({ ...PLACE, ...change }, sealed)).rejects.toThrow(NotSealedForThis);
  });

  it('does not open with another key, changed, or cut', async () => {
    const [key, other] = [await SealingKey.generate(), await SealingKey.generate()];
    const sealed = await sealSecret(key.publicKey, PLACE, VALUE);
    await expect(other.open(PLACE, sealed)).rejects.toThrow(NotSealedForThis);
    const changed = Buffer.from(sealed, 'base64');
    changed[40] = (changed[40] ?? 0) ^ 1;
    for (const bytes of [changed, changed.subarray(0, 10), Buffer.alloc(0)]) {
      await expect(key.open(PLACE, bytes.toString('base64'))).rejects.toThrow(NotSealedForThis);
    }
  });

  it.each([
    ['too short', 'AAAA'],
    // RFC 7748, section 6.1: every secret that is shared with it is zero.
    ['a point of low order', Buffer.alloc(32).toString('base64')],
    [
      'another one, which is not canonical',
      Buffer.concat([Buffer.from([0xed]), Buffer.alloc(30, 0xff), Buffer.from([0x7f])]).toString('base64'),
    ],
  ])('is not made for what is no key: %s', async (_name, key) => {
    await expect(sealSecret(key, PLACE, VALUE)).rejects.toThrow();
    expect(await canSealTo(key)).toBe(false);
  });

  it('can be made for a key', async () => {
    expect(await canSealTo((await SealingKey.generate()).publicKey)).toBe(true);
  });
});
