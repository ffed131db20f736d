import { type Denial } from '#lib/execution';
import { describe, expect, it } from 'vitest';
import { type CountedDenial, DenialWriter } from './denial-writer.js';

const denial = (call: string): Denial => ({
  ...{ call, number: 1, architecture: 'x86_64', action: 'refused', errno: 'EPERM' },
  ...{ arguments: [], description: call, count: 1 },
});
const summary = (denials: readonly CountedDenial[]) =>
  denials.map(({ position, denial: { call, count } }) => `${position} ${call} ${count}`);

/** Collects statements; `next` resolves with the next one. */
function statements() {
  const written: string[][] = [];
  let wake: () => void = () => undefined;
  const next = async () => {
    while (written.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return written.shift();
  };
  return {
    write: (denials: readonly CountedDenial[]) => {
      written.push(summary(denials));
      wake();
      return Promise.resolve();
    },
    next,
    written,
  };
}

describe('the denial writer', () => {
  it('writes the first denials at once, and what changed since then in one statement', async () => {
    const { write, next } = statements();
    const writer = new DenialWriter(write, () => expect.unreachable(), 1);
    const socket = writer.list.add(denial('socket'));
    expect(await next()).toEqual(['0 socket 1']);
    writer.list.add(denial('bpf'));
    socket.setCount(5);
    socket.setCount(9);
    expect(await next()).toEqual(['1 bpf 1', '0 socket 9']);
    await writer.end();
  });

  it('waits between two statements', async () => {
    const { write, next, written } = statements();
    const writer = new DenialWriter(write, () => expect.unreachable(), 3_600_000);
    const socket = writer.list.add(denial('socket'));
    await next();
    for (let count = 2; count < 1000; count += 1) socket.setCount(count);
    await new Promise((resolve) => setImmediate(resolve));
    await writer.end();
    expect(written).toEqual([]);
  });

  it('tells what a statement failed with, and writes it again with the next', async () => {
    const { write, next } = statements();
    const problems: unknown[] = [];
    let tries = 0;
    const writer = new DenialWriter(
      (denials) => (tries++ === 0 ? Promise.reject(new Error('no database')) : write(denials)),
      (error) => problems.push(error),
      1,
    );
    writer.list.add(denial('socket'));
    expect(await next()).toEqual(['0 socket 1']);
    expect(problems).toEqual([new Error('no database')]);
    await writer.end();
  });

  it('writes nothing after its end, which waits for what is being written', async () => {
    const gate = { begun: () => {}, release: () => {} };
    const begun = new Promise<void>((resolve) => (gate.begun = resolve));
    const released = new Promise<void>((resolve) => (gate.release = resolve));
    let statementsBegun = 0;
    const writer = new DenialWriter(
      () => {
        statementsBegun += 1;
        gate.begun();
        return released;
      },
      () => expect.unreachable(),
      0,
    );
    writer.list.add(denial('socket'));
    await begun;
    let ended = false;
    const end = writer.end().then(() => (ended = true));
    writer.list.add(denial('bpf'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(false);
    gate.release();
    await end;
    expect(statementsBegun).toBe(1);
  });
});
