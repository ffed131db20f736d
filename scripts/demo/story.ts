/** The story that the demo tells, step by step: learn, approve, enforce, attack, measure. */
import { setTimeout as sleep } from 'node:timers/promises';
import { buildEdfImage } from '../images/build-image.js';
import { CACHE_DIR } from '../setup/paths.js';
import { applicationSchema, diffSchema, overheadSchema, profileListSchema, profileSchema } from './answers.js';
import { ATTACKS, attackProblems, BENIGN_PLUGIN, denialsOf, plugInLine } from './attacks.js';
import { denialLine, overheadLines, profileLines } from './describe.js';
import { type Ended, readStderr, runJobs } from './jobs.js';
import { compareOutputs, type OutputDigests, outputDigests } from './outputs.js';
import { makeRecordings, type Recording } from './recordings.js';
import { type Scene, StoryError } from './scene.js';
import { seconds } from './text.js';

const APPLICATION = 'edf-normalize';
const PROPOSAL_LIMIT_MS = 120_000;
const POLL_MS = 500;
const ROUNDS = 5;
const LEVELS = [
  { enforcement: 'none', monitoring: 'none' },
  { enforcement: 'none', monitoring: 'syscalls' },
  { enforcement: 'enforce', monitoring: 'none' },
] as const;

/** Throws StoryError where it cannot go on; smaller differences are left in `scene.problems`. */
export async function tellStory(scene: Scene): Promise<void> {
  const { title } = scene;
  title('The example image, and three recordings made by its generator');
  const imageId = await buildImage(scene);
  const recordings = await makeRecordings(scene, imageId);

  title('An administrator registers the application');
  const applicationId = await register(scene, imageId);

  title('A submitter runs it on all recordings; the recorder watches its system calls');
  const watched = await runOn(scene, recordings, 'watched', { monitoring: 'syscalls' });

  title('Porin proposes a profile; the administrator reviews and approves it');
  await reviewAndApprove(scene, applicationId);

  title('The same jobs again, restricted to that profile');
  const normal = await runOn(scene, recordings, 'restricted', { enforcement: 'enforce' });
  const comparison = compareOutputs(watched, normal);
  for (const line of comparison.lines) scene.print(line);
  scene.problems.push(...comparison.problems);

  const recording = recordings[0] as Recording;
  title('Attacks come in by data: plug-ins as inputs, to the same program under the same profile');
  await attack(scene, recording, normal.get(recording.name) ?? null);
  await runBenignPlugIn(scene, recording);
  await attackWithoutProfile(scene, recordings[1] as Recording);

  title('What watching and restricting cost');
  await measure(scene, applicationId, recordings[2] as Recording);
}

async function buildImage({ docker, print }: Scene): Promise<string> {
  const { reference, imageId } = await buildEdfImage({ docker, cacheDir: CACHE_DIR, log: print });
  print(`${reference} is ${imageId}`);
  return imageId;
}

async function register({ admin, print }: Scene, image: string): Promise<string> {
  const body = { name: APPLICATION, image, commandPrefix: ['python3', '-m', 'edf_normalize'], policy: 'learn' };
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

async function reviewAndApprove(scene: Scene, applicationId: string): Promise<void> {
  const { admin, print } = scene;
  const id = await waitForProposal(scene, applicationId);
  const profile = await admin.get(`/api/v1/profiles/${id}`, profileSchema);
  const diff = await admin.get(`/api/v1/profiles/${id}/diff`, diffSchema);
  for (const line of profileLines(profile, diff)) print(line);
  const approval = {
    digest: profile.digest,
    reason: 'Reviewed in the demo: every call was seen in a complete recording.',
  };
  const approved = await admin.post(`/api/v1/profiles/${id}/approve`, approval, profileSchema.pick({ state: true }));
  print(`approved exactly that digest: it is ${approved.state} now, and the approval is signed`);
}

async function waitForProposal({ admin, print, signal }: Scene, applicationId: string): Promise<string> {
  print('waiting for a proposal');
  for (const deadline = Date.now() + PROPOSAL_LIMIT_MS; Date.now() < deadline;) {
    const path = `/api/v1/profiles?state=PROPOSED&applicationId=${applicationId}`;
    const { profiles } = await admin.get(path, profileListSchema);
    if (profiles[0]) return profiles[0].id;
    await sleep(POLL_MS, undefined, { signal });
  }
  throw new StoryError(`no profile was proposed within ${PROPOSAL_LIMIT_MS / 1000} s; are the recordings complete?`);
}

async function attack(scene: Scene, recording: Recording, expectedSha256: string | null): Promise<void> {
  const requests = ATTACKS.map(({ file }) => ({
    ...{ name: `attack-${file.replace('.py', '')}`, application: APPLICATION, recording },
    ...{ plugin: file, enforcement: 'enforce' },
  }));
  const ended = await runJobs(scene, scene.submitter, requests);
  for (const [index, one] of ATTACKS.entries()) {
    const { job } = ended[index] as Ended;
    const stderr = await readStderr(scene.submitter, job);
    const problems = attackProblems(one, job, stderr, expectedSha256);
    scene.problems.push(...problems);
    scene.print();
    scene.print(`${one.file} ${one.tries}: ${problems.length === 0 ? 'denied' : 'NOT as told'}`);
    for (const denial of denialsOf(job)) scene.print(`  ${denialLine(denial)}`);
    scene.print(`  its own words: ${plugInLine(stderr)?.line ?? stderr.trim()}`);
  }
}

async function runBenignPlugIn(scene: Scene, recording: Recording): Promise<void> {
  scene.print();
  scene.print(`${BENIGN_PLUGIN} does no harm, and nothing is in its way:`);
  const request = { name: 'benign-plug-in', application: APPLICATION, recording, plugin: BENIGN_PLUGIN };
  for (const { job } of await runJobs(scene, scene.submitter, [{ ...request, enforcement: 'enforce' }])) {
    for (const denial of denialsOf(job)) {
      scene.print(`  ${denialLine(denial)}`);
      scene.problems.push(`${BENIGN_PLUGIN} was denied ${denial.call}`);
    }
  }
}

/** Shows that it was the profile; only an administrator may run without one. */
async function attackWithoutProfile(scene: Scene, recording: Recording): Promise<void> {
  const chosen = ATTACKS.filter(({ worksWithoutProfile }) => worksWithoutProfile);
  scene.print();
  scene.print('the same, as an administrator and without the profile, in an ordinary hardened container:');
  const requests = chosen.map(({ file }) => ({
    ...{ name: `unrestricted-${file.replace('.py', '')}`, application: APPLICATION, recording },
    ...{ plugin: file, enforcement: 'none', monitoring: 'none' },
  }));
  for (const { request, job } of await runJobs(scene, scene.admin, requests)) {
    scene.print(`  ${request.plugin}: ${plugInLine(await readStderr(scene.admin, job))?.line ?? 'it said nothing'}`);
  }
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
