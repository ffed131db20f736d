import { describe, expect, it } from 'vitest';
import { type ControlMessage, type RawDenial } from './control-message.js';
import { DenialLedger } from './denial-ledger.js';

const CONTROL_CHARACTERS = Buffer.alloc(256, 1);

function denial(id: number, bytes: Buffer): RawDenial {
  return {
    kind: 'denial',
    id,
    auditArch: 0xc000003e,
    number: 82,
    action: 'refused',
    errno: 1,
    arguments: Array<bigint>(6).fill(0xffff_ffff_ffff_ffffn),
    pointedTo: [0, 1].map((argument) => ({ kind: 'path' as const, argument, bytes })),
  };
}

function end(counts: readonly number[]): ControlMessage[] {
  return [...counts.map((count, id) => ({ kind: 'count' as const, id, count })), { kind: 'dropped', count: 7 }];
}

describe('DenialLedger', () => {
  it('keeps the report below 64 KiB whatever a payload is denied, and counts what is not in it', () => {
    const ledger = new DenialLedger();
    const events = Array.from({ length: 256 }, (_, id) => ledger.take(denial(id, CONTROL_CHARACTERS)));
    end(Array<number>(256).fill(1000)).forEach((message) => ledger.take(message));
    const { denials, denialsDropped } = ledger.result();
    expect(Buffer.byteLength(JSON.stringify(denials))).toBeLessThan(64 * 1024);
    expect(denials.length).toBeGreaterThan(20);
    expect(new Set(denials.map(({ count }) => count))).toEqual(new Set([1000]));
    expect(denialsDropped).toBe(7 + 1000 * (256 - denials.length));
    expect(events.filter((event) => event !== undefined)).toHaveLength(denials.length);
  });

  it('reports a short denial where a long one had no room, by its place in the report', () => {
    const ledger = new DenialLedger();
    for (let id = 0; id < 255; id += 1) ledger.take(denial(id, CONTROL_CHARACTERS));
    const event = ledger.take({ ...denial(255, Buffer.alloc(0)), pointedTo: [] });
    const kept = ledger.result().denials.length;
    expect(event).toMatchObject({ kind: 'denial', index: kept - 1 });
    expect(ledger.take({ kind: 'count', id: 255, count: 9 })).toEqual({ kind: 'count', index: kept - 1, count: 9 });
    expect(ledger.take({ kind: 'count', id: 254, count: 9 })).toBeUndefined();
  });
});
