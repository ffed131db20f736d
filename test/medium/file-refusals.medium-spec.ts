/** What Landlock refuses in a real container, as the recording of the run shows it; needs a kernel whose ABI is 6 or newer. */
import { join } from 'node:path';
import { Recorder } from '#lib/execution';
import { expandRules, fileRefusals, type FileRule, type Places, toVariables } from '#lib/profiles';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ExecutorRuns, PAYLOAD } from '../support/executor-runs.js';

const RECORDER = join(import.meta.dirname, '../../.porin/native/porin-recorder');
const PLACES: Places = { inputs: [], outputs: [], temporary: ['/tmp', '/dev/shm'] };
const PROGRAM: FileRule = { path: PAYLOAD, rights: ['read', 'execute'] };
const ATTEMPTS = ['open-passwd', 'list-etc', 'write-null', 'make-tmp', 'write-init-mem', 'abstract-own'];

let runs: ExecutorRuns;
let recorder: Recorder;

beforeAll(async () => {
  runs = await ExecutorRuns.create();
  recorder = await Recorder.start({ binaryPath: RECORDER });
});
afterAll(async () => {
  await recorder.close();
  await runs.close();
});

/** What the payload says, and what the recording shows as refused: "access path errno count". */
async function attempt(files: readonly FileRule[]) {
  const level = { enforcement: 'none', monitoring: 'files' } as const;
  const request = runs.request([PAYLOAD, 'try', ...ATTEMPTS], { level, landlock: expandRules(files, PLACES) });
  const { report, stdout } = await runs.run(request, { recorder });
  expect(report.landlockStatus).toBe('FULLY_ENFORCED');
  const refusals = fileRefusals(toVariables(report.recording!, PLACES), { files });
  return {
    says: stdout.trim().split('\n'),
    refused: refusals.map(({ access, path, errno, count }) => `${access} ${path} ${errno} ${count}`),
  };
}

it('is told for each file that no rule grants, and for nothing that the run may always use', async () => {
  const { says, refused } = await attempt([PROGRAM]);
  expect(says).toEqual([
    ...['open-passwd EACCES', 'list-etc EACCES', 'write-null ok', 'make-tmp ok', 'write-init-mem EACCES'],
    'abstract-own ok',
  ]);
  expect(refused).toEqual([
    'list /etc EACCES 1',
    'read /etc/passwd EACCES 1',
    'read /proc/1/mem EACCES 1',
    'write /proc/1/mem EACCES 1',
  ]);
});

it('is less by what a rule grants', async () => {
  const { says, refused } = await attempt([PROGRAM, { path: '/etc', rights: ['read'] }]);
  expect(says).toEqual(expect.arrayContaining(['open-passwd ok', 'list-etc ok']));
  expect(refused).toEqual(['read /proc/1/mem EACCES 1', 'write /proc/1/mem EACCES 1']);
});
