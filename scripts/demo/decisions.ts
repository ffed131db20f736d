/** What an administrator does in the demo: waits for proposals, reviews and decides, and watches an audit. */
import { setTimeout as sleep } from 'node:timers/promises';
import { diffSchema, type ProfileAnswer, profileListSchema, profileSchema, reviewSchema } from './answers.js';
import { ApiError } from './api-client.js';
import { additionLines, profileLines } from './describe.js';
import { type Scene, StoryError } from './scene.js';

const PROPOSAL_LIMIT_MS = 120_000;
const PROMOTION_LIMIT_MS = 30_000;
const POLL_MS = 500;

/** The first version of all: its calls, coverage and warnings. Returns its id. */
export async function approveFirst(scene: Scene, applicationId: string): Promise<string> {
  const profile = await waitForProposal(scene, applicationId);
  const diff = await scene.admin.get(`/api/v1/profiles/${profile.id}/diff`, diffSchema);
  for (const line of profileLines(profile, diff)) scene.print(line);
  return approve(scene, profile, 'Reviewed in the demo: every call was seen in a complete recording.');
}

/** A version that adds to the approved one: what, and why. Returns its id. */
export async function approveAddition(scene: Scene, applicationId: string, reason: string): Promise<string> {
  const profile = await waitForProposal(scene, applicationId);
  const review = await scene.admin.get(`/api/v1/profiles/${profile.id}/review`, reviewSchema);
  scene.print(`version ${profile.number} is proposed`);
  for (const line of additionLines(review)) scene.print(`  ${line}`);
  return approve(scene, profile, reason);
}

async function approve({ admin, print }: Scene, { id, digest }: ProfileAnswer, reason: string): Promise<string> {
  const { stage } = await admin.post(
    `/api/v1/profiles/${id}/approve`,
    { digest, stage: 'audit', reason },
    profileSchema,
  );
  print(`approved exactly that digest, signed, for the stage ${stage}: what is outside is still let go on, and told`);
  return id;
}

/** Until the version is enforced by itself. */
export async function waitForPromotion({ admin, print, problems, signal }: Scene, id: string): Promise<void> {
  for (const deadline = Date.now() + PROMOTION_LIMIT_MS; ; await sleep(POLL_MS, undefined, { signal })) {
    const { stage, promotion, decisions } = await admin.get(`/api/v1/profiles/${id}`, profileSchema);
    const promoted = decisions.find(({ rule }) => rule === 'promotion');
    if (stage === 'enforce' && promoted) return print(`${promoted.reason}: enforced from now on, by rule, signed anew`);
    if (Date.now() > deadline) {
      problems.push(`the audited version was not promoted: ${promotion?.sentence ?? `its stage is ${stage}`}`);
      return;
    }
  }
}

/** Rejects whatever is proposed until nothing is any more; more of it may come while it is looked at. */
export async function rejectAll(scene: Scene, applicationId: string, isDone: () => Promise<boolean>): Promise<void> {
  const { admin, print, signal } = scene;
  for (const deadline = Date.now() + PROPOSAL_LIMIT_MS; !(await isDone());) {
    if (Date.now() > deadline)
      throw new StoryError('the attacks are still held after what they asked for was rejected');
    const profile = await proposed(scene, applicationId);
    if (profile) {
      const review = await admin.get(`/api/v1/profiles/${profile.id}/review`, reviewSchema);
      const decision = {
        digest: profile.digest,
        reason: 'Nobody normalises recordings with sockets and shells.',
      };
      if (!(await isDecided(admin.post(`/api/v1/profiles/${profile.id}/reject`, decision, profileSchema)))) continue;
      print(`version ${profile.number} was proposed for them, and is rejected:`);
      for (const line of additionLines(review)) print(`  ${line}`);
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** False where further denials changed the proposal in between. */
async function isDecided(decision: Promise<unknown>): Promise<boolean> {
  try {
    await decision;
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) return false;
    throw error;
  }
}

async function waitForProposal(scene: Scene, applicationId: string): Promise<ProfileAnswer> {
  for (const deadline = Date.now() + PROPOSAL_LIMIT_MS; Date.now() < deadline;) {
    const profile = await proposed(scene, applicationId);
    if (profile) return profile;
    await sleep(POLL_MS, undefined, { signal: scene.signal });
  }
  throw new StoryError(`no profile was proposed within ${PROPOSAL_LIMIT_MS / 1000} s; are the recordings complete?`);
}

async function proposed({ admin }: Scene, applicationId: string): Promise<ProfileAnswer | undefined> {
  const path = `/api/v1/profiles?state=PROPOSED&applicationId=${applicationId}`;
  const { profiles } = await admin.get(path, profileListSchema);
  return profiles[0] && admin.get(`/api/v1/profiles/${profiles[0].id}`, profileSchema);
}
