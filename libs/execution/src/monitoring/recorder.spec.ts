/** The driver against a porin-recorder that does not keep to its protocol. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Recorder } from './recorder.js';

const READY = 'ready 3.0 syscalls arguments files';
const ended = { payloadEndedOnItsOwn: true };
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'porin-hostile-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** A program that writes `ready` and, to every line that it reads, the next of `answers`; it ends after an unfinished one. */
async function start(ready: string, ...answers: readonly string[]): Promise<Recorder> {
  const place = mkdtempSync(join(directory, 'recorder-'));
  const binaryPath = join(place, 'porin-recorder');
  const steps = answers.map((answer, index) => {
    writeFileSync(join(place, `${index}`), answer);
    return `read -r line\ncat '${place}/${index}'\n${answer.endsWith('\n') ? '' : 'exit\n'}`;
  });
  writeFileSync(binaryPath, `#!/bin/sh\nPATH=/usr/bin:/bin\necho '${ready}'\n${steps.join('')}read -r line\n`);
  chmodSync(binaryPath, 0o755);
  return Recorder.start({ binaryPath });
}

const USE = 'use run 41 0 1 0:0x1';
const FACTS =
  'others=0 started=1 empty=1 execs=1 foreign=0 map-failures=0 misses=0 supervisor=0 before-start=0 compat=0 x32=0 unknown=0 ' +
  'overflows=0 ring-failures=0 unresolved=0 tasks=1 calls=41:123';

const ARMED = 'armed run others=0\n';
const FINISHED = `finished run ${FACTS}`;

describe('the driver of porin-recorder', () => {
  it('collects what comes before the finished line', async () => {
    const recorder = await start(READY, ARMED, `${USE}\n${USE.replace('0x1', '0x2')}\n${FINISHED}\n`);
    await recorder.arm('run', 1, 'arguments');
    const recording = await recorder.finish('run', ended);
    expect(recording.arguments).toMatchObject([{ values: { '0': '0x1' } }, { values: { '0': '0x2' } }]);
    expect(recording.calls).toEqual({ socket: 123 });
    await recorder.close();
  });

  it('gives the names so far from a counts line, and takes no details before it', async () => {
    const counts = FINISHED.replace('finished', 'counts');
    const recorder = await start(READY, ARMED, `${counts}\n`, `${USE}\n${counts}\n`);
    await recorder.arm('run', 1, 'arguments');
    expect(await recorder.counts('run')).toEqual({ socket: 123 });
    await expect(recorder.counts('run')).rejects.toMatchObject({ code: 'protocol' });
    await recorder.close();
  });

  it.each([
    'ready 1.0 syscalls',
    'ready 2.0 syscalls arguments files',
    'ready 3.0 syscalls',
    'ready 4.0 syscalls arguments files',
    'armed run others=0',
    USE,
  ])('does not begin with %j', async (ready) => {
    await expect(start(ready)).rejects.toMatchObject({ code: 'protocol' });
  });

  it.each([
    ['a detail before another answer', `${USE}\n${ARMED}`],
    ['a refusal before another answer', `refused run 237 1 2\n${ARMED}`],
    ['the answer to another command', 'disarmed run\n'],
    ['an answer about another recording', 'armed other others=0\n'],
    ['a line that is no answer', 'hello\n'],
    ['a line without an end', 'x'.repeat(40_000)],
  ])('is lost after %s to arm', async (_name, answer) => {
    const recorder = await start(READY, answer);
    await expect(recorder.arm('run', 1, 'arguments')).rejects.toMatchObject({ code: 'protocol' });
    await expect(recorder.arm('next', 1, 'arguments')).rejects.toMatchObject({ code: 'protocol' });
    expect(await recorder.lost).toMatchObject({ code: 'protocol' });
    await recorder.close();
  });

  it.each([
    ['details of another recording', `${USE.replace('run', 'other')}\n${FINISHED}\n`],
    ['a detail that is none', `use run 41 0 1 0:1\n${FINISHED}\n`],
    ['more details than can be', `${`${USE}\n`.repeat(200_001)}${FINISHED}\n`],
    // Its last count would be believed: 12 for 123.
    ['the beginning of a line that looks whole', FINISHED.slice(0, -1)],
  ])('gives a recording that says recorder-lost after %s', async (_name, answer) => {
    const recorder = await start(READY, ARMED, answer);
    await recorder.arm('run', 1, 'arguments');
    expect((await recorder.finish('run', ended)).partialReasons).toEqual(['recorder-lost']);
    await recorder.close();
  });
});
