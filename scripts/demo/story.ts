/** The story that the demo tells, step by step: learn, approve, audit, enforce, heal, attack, measure. */
import { buildEdfImage } from '../images/build-image.js';
import { CACHE_DIR } from '../setup/paths.js';
import { applicationSchema, overheadSchema } from './answers.js';
import { attack, attackWithoutProfile } from './attack-scene.js';
import { approveFirst, waitForPromotion } from './decisions.js';
import { overheadLines } from './describe.js';
import { heal } from './heal.js';
import { runJobs } from './jobs.js';
import { compareOutputs, type OutputDigests, outputDigests } from './outputs.js';
import { makeRecordings, type Recording } from './recordings.js';
import { type Story } from './open-story.js';
import { type Scene } from './scene.js';
import { seconds } from './text.js';

const APPLICATION = 'edf-normalize';
const ROUNDS = 5;
/** Short for a demo; 5 runs on 3 inputs where nothing is said. */
const AUDIT = { quietRunsNeeded: 2, quietInputsNeeded: 2 };
const LEVELS = [
  { enforcement: 'none', monitoring: 'none' },
  { enforcement: 'none', monitoring: 'syscalls' },
  { enforcement: 'enforce', monitoring: 'none' },
] as const;

export const SANDBOX: Story = {
  instance: 'stack',
  canStay: true,
  open: () => Promise.resolve({ variables: () => ({}), tell: tellStory, close: () => Promise.resolve() }),
};

async function tellStory(scene: Scene): Promise<void> {
  const { title } = scene;
  title('The example image, and three recordings made by its generator');
  const imageId = await buildImage(scene);
  const recordings = await makeRecordings(scene, imageId);

  title('An administrator registers the application');
  const applicationId = await register(scene, imageId);

  title('A submitter runs it on all recordings; the recorder watches its system calls');
  const watched = await runOn(scene, recordings, 'watched', { monitoring: 'syscalls' });

  title('Porin proposes a profile; the administrator reviews it, and approves it for an audit');
  const versionId = await approveFirst(scene, applicationId);

  title('The same jobs again, audited; after two quiet runs on two inputs the profile is enforced by itself');
  const audited = await runOn(scene, recordings, 'audited', {});
  await waitForPromotion(scene, versionId);

  title('And again, restricted to that profile');
  const restricted = await runOn(scene, recordings, 'restricted', {});
  const comparison = compareOutputs({ watched, audited, restricted });
  for (const line of comparison.lines) scene.print(line);
  scene.problems.push(...comparison.problems);

  const [first, second, third] = recordings as [Recording, Recording, Recording];
  title('An honest input needs a call that nobody had seen: its job is held, and heals');
  await heal(scene, { applicationId, application: APPLICATION, recordings: [first, second] });

  title('Attacks come in by data as well: plug-ins as inputs, to the same program under the same profile');
  await attack(scene, { applicationId, application: APPLICATION, recording: first });
  await attackWithoutProfile(scene, APPLICATION, second);

  title('What watching and restricting cost');
  await measure(scene, applicationId, third);
}

async function buildImage({ docker, print }: Scene): Promise<string> {
  const { reference, imageId } = await buildEdfImage({ docker, cacheDir: CACHE_DIR, log: print });
  print(`${reference} is ${imageId}`);
  return imageId;
}

async function register({ admin, print }: Scene, image: string): Promise<string> {
  const body = {
    name: APPLICATION,
    image,
    commandPrefix: ['python3', '-m', 'edf_normalize'],
    policy: 'learn',
    ...AUDIT,
  };
  const { id, name } = await admin.post('/api/v1/applications', body, applicationSchema);
  print(`${name}: policy learn, so jobs run watched until a profile is approved`);
  return id;
}

async function runOn(
  scene: Scene,
  recordings: readonly Recording[],
  word: string,
  level: { enforcement?: string; monitoring?: string },
): Promise<OutputDigests> {
  const requests = recordings.map((recording) => ({
    ...{ name: `${recording.name}-${word}`, application: APPLICATION, recording },
    ...level,
  }));
  return outputDigests(await runJobs(scene, scene.submitter, requests));
}

/**
 * One job at a time, the levels in another order each round, so that no level has the warm cache to itself. No attack ran
 * on this recording: runs are compared by equal inputs, and a denied call is no fair measure.
 */
async function measure(scene: Scene, applicationId: string, recording: Recording): Promise<void> {
  const quiet = { ...scene, print: () => undefined };
  for (let round = 1; round <= ROUNDS; round++) {
    const walls: string[] = [];
    for (let turn = 0; turn < LEVELS.length; turn++) {
      const level = LEVELS[(round + turn) % LEVELS.length] as (typeof LEVELS)[number];
      const name = `measure-${round}-${level.enforcement}-${level.monitoring}`;
      const [ended] = await runJobs(quiet, scene.admin, [{ name, application: APPLICATION, recording, ...level }]);
      const wallUs = ended?.job.runs.at(-1)?.wallUs ?? null;
      walls.push(`(${level.enforcement}, ${level.monitoring}) ${wallUs === null ? 'failed' : seconds(wallUs)}`);
    }
    scene.print(`${recording.name}, round ${round} of ${ROUNDS}: ${walls.join(', ')}`);
  }
  const { levels } = await scene.admin.get(`/api/v1/applications/${applicationId}/overhead`, overheadSchema);
  scene.print();
  for (const line of overheadLines(levels)) scene.print(line);
  scene.print('Compared are runs of equal inputs and node. These are few, short and on a busy machine:');
  scene.print('`npm run bench -- enforce` measures it properly.');
}
