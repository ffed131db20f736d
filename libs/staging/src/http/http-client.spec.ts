import { type LookupAddress } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { AddressRefused, authorizationOf, checkedLookup, type ResolveName } from './http-client.js';

const isRefused = (address: string) => address.startsWith('10.');

/** A name server that answers each question with the next of the lists. */
function answering(...answers: string[][]): { resolve: ResolveName; asked: string[] } {
  const asked: string[] = [];
  const resolve = (
    name: string,
    _options: object,
    callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
  ) => {
    const addresses = answers[asked.push(name) - 1] ?? [];
    setImmediate(() =>
      callback(
        null,
        addresses.map((address) => ({ address, family: 4 })),
      ),
    );
  };
  return { resolve: resolve as ResolveName, asked };
}

function lookUp(resolve: ResolveName, all: boolean): Promise<unknown> {
  return new Promise((settle, reject) => {
    checkedLookup(isRefused, resolve)('archive.example.org', { all }, (error, address) => {
      if (error) reject(error);
      else settle(address);
    });
  });
}

describe('checkedLookup', () => {
  it.each([
    [true, [{ address: '8.8.8.8', family: 4 }]],
    [false, '8.8.8.8'],
  ])('asks once and hands over the addresses it checked (all: %s)', async (all, expected) => {
    const { resolve, asked } = answering(['8.8.8.8'], ['10.0.0.1']);
    await expect(lookUp(resolve, all)).resolves.toEqual(expected);
    expect(asked).toEqual(['archive.example.org']);
  });

  it.each([true, false])('refuses a name when any of its addresses is refused (all: %s)', async (all) => {
    const refusal = lookUp(answering(['8.8.8.8', '10.0.0.1']).resolve, all);
    await expect(refusal).rejects.toThrow(new AddressRefused('10.0.0.1'));
  });

  it('passes on the error of the name server', async () => {
    const cause = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    const resolve = ((_name: string, _options: object, callback: (error: Error) => void) =>
      callback(cause)) as unknown as ResolveName;
    await expect(lookUp(resolve, true)).rejects.toBe(cause);
  });
});

describe('authorizationOf', () => {
  it.each([
    ['https://h/a', null],
    ['https://user@h/a', 'user:'],
    ['https://user:p%40ss%3A%C3%A9@h/a', 'user:p@ss:é'],
    ['https://:100%25%zz@h/a', ':100%25%zz'],
  ])('of %s is that of %j', (url, credentials) => {
    const expected = credentials === null ? null : `Basic ${Buffer.from(credentials).toString('base64')}`;
    expect(authorizationOf(new URL(url))).toBe(expected);
  });
});
