import { describe, expect, it } from 'vitest';
import { DenialList } from './denial-list.js';
import { type Denial } from './executor-run.js';

function denial(call: string, changes: Partial<Denial> = {}): Denial {
  const { description = `${call}()` } = changes;
  return {
    call,
    number: 1,
    architecture: 'x86_64',
    action: 'continued',
    arguments: [],
    description,
    count: 1,
    ...changes,
  };
}

/** What it changed, in order: "position call count". */
function watched() {
  const changes: string[] = [];
  const list: DenialList = new DenialList((position) => {
    const { call, count } = list.at(position)!;
    changes.push(`${position} ${call} ${count}`);
  });
  return { list, changes };
}

describe('the list of denials', () => {
  it('keeps each at its position and with its count, and tells what changes', () => {
    const { list, changes } = watched();
    const first = list.add(denial('mkdir'));
    const second = list.add(denial('rename', { count: 3 }));
    first.setCount(5);
    second.setCount(3);
    expect([first.position, second.position]).toEqual([0, 1]);
    expect(list.denials.map(({ call, count }) => `${call} ${count}`)).toEqual(['mkdir 5', 'rename 3']);
    expect(changes).toEqual(['0 mkdir 1', '1 rename 3', '0 mkdir 5']);
    expect(list.at(2)).toBeUndefined();
    expect(list.dropped).toBe(0);
  });

  it('keeps the report below 64 KiB whatever is added, and counts what is not in it', () => {
    const { list, changes } = watched();
    const description = '\u0001'.repeat(1000);
    const listed = Array.from({ length: 256 }, () => list.add(denial('openat', { description })));
    const kept = listed.filter(({ position }) => position !== undefined).length;
    expect(kept).toBeGreaterThan(8);
    for (const each of listed) each.setCount(Number.MAX_SAFE_INTEGER);
    expect(list.denials).toHaveLength(kept);
    expect(Buffer.byteLength(JSON.stringify(list.denials))).toBeLessThan(64 * 1024);
    for (const each of listed) each.setCount(1000);
    list.drop(7);
    expect(list.dropped).toBe(7 + 1000 * (256 - kept));
    expect(changes).toHaveLength(3 * kept);
  });

  it('takes a short denial where a long one had no room', () => {
    const { list } = watched();
    const description = '\u0001'.repeat(1000);
    for (let index = 0; index < 100; index += 1) list.add(denial('openat', { description }));
    const { position } = list.add(denial('openat'));
    expect(position).toBe(list.denials.length - 1);
    expect(list.at(position!)).toEqual(denial('openat'));
  });

  it('has room for the first denial of each call, and what happened to it, whatever others took', () => {
    const { list } = watched();
    const long = { description: '\u0001'.repeat(1000) };
    for (let index = 0; index < 1000; index += 1) list.add(denial('openat', long));
    for (let index = 0; index < 1000; index += 1) list.add(denial('openat', { description: `${index}` }));
    const before = list.denials.length;
    const added = [
      denial('mkdir', { ...long, number: 83 }),
      denial('mkdir', { ...long, number: 83, action: 'refused' }),
      denial('call 5', { ...long, number: 5, architecture: 'i386' }),
      denial('file', { ...long, number: -1 }),
    ];
    expect(added.map((each) => list.add(each).position)).toEqual([0, 1, 2, 3].map((place) => before + place));
    expect(list.denials.slice(before)).toEqual(added);
    expect(added.map((each) => list.add(each).position)).toEqual(Array(4).fill(undefined));
    expect(Buffer.byteLength(JSON.stringify(list.denials.slice(0, before)))).toBeLessThan(64 * 1024);
  });
});
