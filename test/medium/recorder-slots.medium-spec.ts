/** What one recorder keeps of recording after recording: nothing, whatever the kinds that follow each other in a slot. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RecorderDetail } from '../../libs/execution/src/monitoring/recorder-detail.js';
import { parseRecorderLine } from '../../libs/execution/src/monitoring/recorder-line.js';
import { RECORDING_KINDS, type RecordingKind, recordingOf } from '../../libs/execution/src/monitoring/recording.js';
import { sanitizedRecorder } from '../support/native.js';
import { RecorderLines } from '../support/recorder-lines.js';
import { RecorderProcesses } from '../support/recorder-processes.js';

const binaryPath = join(import.meta.dirname, '../../.porin/native/porin-recorder');
/** MAX_RECORDINGS of native/recorder/layout.h. Slots are taken in turn, and one is held. */
const FREE_SLOTS = 256 - 1;
const RECORDINGS = 600;

let processes: RecorderProcesses;
beforeAll(async () => {
  processes = await RecorderProcesses.create();
});
afterAll(() => processes.close());

async function record(lines: RecorderLines, id: string, kind: RecordingKind) {
  const gated = await processes.start(['nothing']);
  expect((await lines.command(`arm ${id} ${gated.pid} ${kind}`)).answer).toBe(`armed ${id} others=0`);
  expect(await gated.openGateAndWait()).toBe(0);
  const { answer, details } = await lines.command(`finish ${id}`);
  const finished = parseRecorderLine(answer);
  if (finished.kind !== 'finished') throw new Error(answer);
  const context = { architecture: 'x86_64', kind, payloadEndedOnItsOwn: true } as const;
  return recordingOf(
    finished.facts,
    details.map((line) => parseRecorderLine(line) as RecorderDetail),
    context,
  );
}

describe.each([
  ['the recorder', () => binaryPath],
  ['the recorder with ASan and UBSan', sanitizedRecorder],
])('%s', (_name, binary) => {
  it(`makes ${RECORDINGS} recordings of mixed kinds one after another, and all are complete`, async () => {
    const { recorder: lines } = await RecorderLines.start(binary());
    // One that stays on keeps the programs attached, which is quicker.
    const held = await processes.start(['nothing']);
    await lines.command(`arm held ${held.pid} files`);
    for (let number = 0; number < RECORDINGS; number += 1) {
      const timesRound = Math.floor(number / FREE_SLOTS);
      const kind = RECORDING_KINDS[(number + timesRound) % RECORDING_KINDS.length]!;
      const recording = await record(lines, `run-${number}`, kind);
      expect([number, kind, recording.partialReasons]).toEqual([number, kind, []]);
      expect([number, recording.files?.length ?? 0]).toEqual([number, kind === 'files' ? 1 : 0]);
    }
    expect(await held.openGateAndWait()).toBe(0);
    expect((await lines.command('finish held')).answer).toMatch(/^finished /);
    expect(await lines.close()).toEqual({ status: 0, stderr: '' });
  });
});
