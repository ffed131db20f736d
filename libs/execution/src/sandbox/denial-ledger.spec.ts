import { expect, it } from 'vitest';
import { DenialList } from '../denial-list.js';
import { type RawDenial } from './control-message.js';
import { type DeniedSoFar, DenialLedger } from './denial-ledger.js';

const CONTROL_CHARACTERS = Buffer.alloc(256, 1);

function denial(id: number): RawDenial {
  return {
    kind: 'denial',
    id,
    auditArch: 0xc000003e,
    number: 82,
    action: 'refused',
    errno: 1,
    arguments: Array<bigint>(6).fill(0xffff_ffff_ffff_ffffn),
    pointedTo: [0, 1].map((argument) => ({ kind: 'path' as const, argument, bytes: CONTROL_CHARACTERS })),
  };
}

it('enters the denials of the channel with their exact counts, and as dropped those that the report has no room for', () => {
  const list = new DenialList();
  const ledger = new DenialLedger(list);
  for (let id = 0; id < 256; id += 1) expect(ledger.take(denial(id))).toBe(true);
  for (let id = 0; id < 256; id += 1) expect(ledger.take({ kind: 'count', id, count: 1000 })).toBe(true);
  expect(ledger.take({ kind: 'dropped', count: 7 })).toBe(true);
  expect(ledger.complete).toBe(true);
  expect(list.denials.length).toBeGreaterThan(20);
  expect(new Set(list.denials.map(({ count }) => count))).toEqual(new Set([1000]));
  expect(list.dropped).toBe(7 + 1000 * (256 - list.denials.length));
});

it('knows its denials by their ids, wherever others stand in the list', () => {
  const list = new DenialList();
  const ledger = new DenialLedger(list);
  list.add({
    call: 'mkdir',
    number: 83,
    architecture: 'x86_64',
    action: 'continued',
    arguments: [],
    description: '',
    count: 9,
  });
  ledger.take(denial(0));
  ledger.take({ kind: 'count', id: 0, count: 4 });
  expect(list.denials.map(({ call, count }) => `${call} ${count}`)).toEqual(['mkdir 9', 'rename 4']);
});

it('tells of each denial, and of all that was denied so far, dropped calls included', () => {
  const list = new DenialList();
  const told: string[] = [];
  const ledger = new DenialLedger(list, {
    onDenial: ({ counted }) => told.push(counted.call),
    onTally: ({ atUs, listed, dropped, lastDropped }: DeniedSoFar) =>
      told.push(`${atUs} ${listed.map(({ count }) => count).join('+')} ${dropped} ${lastDropped?.count ?? '-'}`),
  });
  expect(ledger.take(denial(0))).toBe(true);
  expect(ledger.take({ kind: 'count', id: 0, count: 4 })).toBe(true);
  expect(ledger.take({ kind: 'tally', atUs: 1000, dropped: 0, lastDropped: undefined })).toBe(true);
  expect(list.dropped).toBe(0);
  expect(ledger.take(denial(1))).toBe(true);
  expect(ledger.take({ kind: 'tally', atUs: 2000, dropped: 9, lastDropped: 0 })).toBe(true);
  expect(list.dropped).toBe(9);
  for (const [id, count] of [4, 1].entries()) expect(ledger.take({ kind: 'count', id, count })).toBe(true);
  expect(ledger.take({ kind: 'dropped', count: 11 })).toBe(true);
  expect(list.dropped).toBe(11);
  expect(told).toEqual(['rename', '1000 4 0 -', 'rename', '2000 4+1 9 4']);
});
