/** An honest job that is refused a call: it is held, what it needs is proposed and approved, and it is run again by itself. */
import { isFinal } from '#lib/jobs';
import { denialsOf } from './attacks.js';
import { approveAddition, waitForPromotion } from './decisions.js';
import { denialLine, isHeld, progress } from './describe.js';
import { follow, runJobs, submit } from './jobs.js';
import { type Recording } from './recordings.js';
import { type Scene } from './scene.js';

/** Its event loop makes calls that the program alone does not make. */
const PLUGIN = 'clip_together.py';

interface Healed {
  readonly applicationId: string;
  /** Its name. */
  readonly application: string;
  readonly recordings: readonly Recording[];
}

export async function heal(scene: Scene, { applicationId, application, recordings }: Healed): Promise<void> {
  const { submitter, print, problems } = scene;
  const requests = recordings.map((recording) => {
    return { name: `honest-${recording.name}`, application, recording, plugin: PLUGIN };
  });
  const submitted = await submit(scene, submitter, requests.slice(0, 1));
  const [held] = await follow(scene, submitter, submitted, (job) => isFinal(job.state) || isHeld(job));
  if (!held || !isHeld(held.job)) {
    problems.push(`${PLUGIN} was not held: ${held ? progress(held.job) : ''}`);
    return;
  }
  for (const denial of denialsOf(held.job)) print(`  ${denialLine(denial)}`);
  const id = await approveAddition(scene, applicationId, 'A pair of sockets within the program, for its event loop.');
  for (const ended of await follow(scene, submitter, submitted)) {
    if (ended.job.state !== 'COMPLETE') problems.push(`the held job ended ${progress(ended.job)}`);
    print('nobody submitted it again: it ran under audit this time, and has published');
  }
  print('a second quiet run, on another recording, ends the audit:');
  await runJobs(scene, submitter, requests.slice(1));
  await waitForPromotion(scene, id);
}
