/** The attacks of the demo: dangerous ones end at once, others are held, and what they ask for is rejected. */
import { isFinal } from '#lib/jobs';
import { jobSchema } from './answers.js';
import { attackProblems, ATTACKS, denialsOf, plugInLine } from './attacks.js';
import { rejectAll } from './decisions.js';
import { denialLine, isHeld, progress } from './describe.js';
import { follow, readStderr, runJobs, submit } from './jobs.js';
import { type Recording } from './recordings.js';
import { type Scene } from './scene.js';

interface Attacked {
  readonly applicationId: string;
  /** Its name. */
  readonly application: string;
  readonly recording: Recording;
}

export async function attack(scene: Scene, { applicationId, application, recording }: Attacked): Promise<void> {
  const { admin, submitter, print } = scene;
  const requests = ATTACKS.map(({ file }) => {
    return { name: `attack-${file.replace('.py', '')}`, application, recording, plugin: file };
  });
  const submitted = await submit(scene, submitter, requests);
  await follow(scene, submitter, submitted, (job) => isFinal(job.state) || isHeld(job));
  print();
  const read = () => Promise.all(submitted.map(({ id }) => admin.get(`/api/v1/jobs/${id}`, jobSchema)));
  await rejectAll(scene, applicationId, async () => (await read()).every(({ state }) => isFinal(state)));
  for (const [index, job] of (await read()).entries()) {
    const one = ATTACKS[index] as (typeof ATTACKS)[number];
    const stderr = await readStderr(submitter, job);
    const problems = attackProblems(one, job, stderr);
    scene.problems.push(...problems);
    print();
    print(`${one.file} ${one.tries}: ${problems.length === 0 ? 'denied' : 'NOT as told'}`);
    for (const denial of denialsOf(job)) print(`  ${denialLine(denial)}`);
    print(`  its job: ${progress(job)}`);
    print(`  its own words: ${plugInLine(stderr)?.line ?? 'none, it was ended first'}`);
  }
}

/** Shows that it was the profile; only an administrator may run without one. */
export async function attackWithoutProfile(scene: Scene, application: string, recording: Recording): Promise<void> {
  const chosen = ATTACKS.filter(({ worksWithoutProfile }) => worksWithoutProfile);
  scene.print();
  scene.print('the same, as an administrator and without the profile, in an ordinary hardened container:');
  const requests = chosen.map(({ file }) => ({
    name: `unrestricted-${file.replace('.py', '')}`,
    application,
    recording,
    plugin: file,
    enforcement: 'none',
    monitoring: 'none',
  }));
  for (const { request, job } of await runJobs(scene, scene.admin, requests)) {
    scene.print(`  ${request.plugin}: ${plugInLine(await readStderr(scene.admin, job))?.line ?? 'it said nothing'}`);
  }
}
