/** An application's way to a profile over the public API: register it, run jobs that teach, wait for the proposal, decide. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type ApiClient } from '../../../scripts/demo/api-client.js';
import { type Stage } from '#lib/profiles';
import { type CaseRun } from '../cases/case-run.js';
import { type CorpusJobs } from '../cases/corpus-jobs.js';
import { type CorpusApplication, type CorpusCase } from '../cases/corpus.js';
import { type ProfileLevel } from '../report/counts.js';
import { type LearnedProfile, learnedProfileOf, profileAnswerSchema } from './learned-profile.js';

const POLL_MS = 400;
const PROPOSAL_LIMIT_MS = 180_000;
const TRIES = 3;

export interface Registration {
  readonly id: string;
  readonly name: string;
}

/** How many recordings a proposal needs; absent, what Porin asks for by itself. */
export interface Gates {
  readonly recordingsNeeded: number;
  readonly distinctInputsNeeded: number;
}

/** What is known and decided of a build. */
export interface Standing {
  /** Recordings that are still to be considered. */
  readonly waiting: number;
  readonly proposedId: string | null;
  /** Of the approved version; null where there is none. */
  readonly stage: z.infer<typeof stageSchema> | null;
}

export class Learner {
  constructor(
    private readonly admin: ApiClient,
    private readonly jobs: CorpusJobs,
    readonly stop: AbortSignal,
    private readonly remark: (text: string) => void,
  ) {}

  async register(
    name: string,
    image: string,
    { commandPrefix }: CorpusApplication,
    gates?: Gates,
  ): Promise<Registration> {
    const body = { name, image, commandPrefix, policy: 'learn', ...gates };
    return this.admin.post('/api/v1/applications', body, z.object({ id: z.string(), name: z.string() }));
  }

  /** Runs the case until a run of it teaches: it ended COMPLETE with a whole recording. Throws Error after three tries. */
  async teach({ name }: Registration, of: CorpusCase, level: ProfileLevel): Promise<void> {
    let last: CaseRun | undefined;
    for (let tried = 0; tried < TRIES; tried += 1) {
      last = await this.jobs.run({ application: name, of, by: 'submitter', monitoring: level });
      const calls = last.denials.map(({ description, errno }) => `${description} ${errno ?? ''}`.trim());
      if (calls.length > 0) this.remark(`${name}: ${of.id} was refused while it was learned: ${calls.join(', ')}`);
      if (last.state === 'COMPLETE' && last.partialReasons?.length === 0) return;
      this.remark(`${name}: a run of ${of.id} taught nothing: ${whyNot(last)}`);
    }
    throw new Error(`${name}: nothing can be learned from ${of.id}: ${last ? whyNot(last) : ''}`);
  }

  /** The version that is proposed from so many recordings, or more. Throws Error after three minutes. */
  async proposal({ id, name }: Registration, recordings: number): Promise<LearnedProfile> {
    const path = `/api/v1/profiles?state=PROPOSED&applicationId=${id}`;
    for (const deadline = Date.now() + PROPOSAL_LIMIT_MS; Date.now() < deadline;) {
      const { profiles } = await this.admin.get(path, profileListSchema);
      const [newest] = profiles;
      if (newest && newest.recordings >= recordings) {
        return this.profile(newest.id);
      }
      await sleep(POLL_MS, undefined, { signal: this.stop });
    }
    throw new Error(`${name}: no profile was proposed from ${recordings} recordings in ${PROPOSAL_LIMIT_MS / 1000} s`);
  }

  async profile(id: string): Promise<LearnedProfile> {
    return learnedProfileOf(await this.admin.get(`/api/v1/profiles/${id}`, profileAnswerSchema));
  }

  async approve({ id, digest }: LearnedProfile, stage: Stage): Promise<void> {
    const approval = { digest, stage, reason: 'Approved unread by a bench.' };
    await this.admin.post(`/api/v1/profiles/${id}/approve`, approval, z.unknown());
  }

  /** What an administrator does with a version that is not promoted. */
  async enforce({ id, digest }: LearnedProfile, runs: number): Promise<void> {
    this.remark(`the version ${id} was not promoted in ${runs} runs, and is enforced by an administrator`);
    const change = { digest, stage: 'enforce', reason: `Not promoted in ${runs} runs of a bench.` };
    await this.admin.post(`/api/v1/profiles/${id}/stage`, change, z.unknown());
  }

  /** Of the one build of the application. */
  async standing({ id, name }: Registration): Promise<Standing> {
    const { builds } = await this.admin.get(`/api/v1/applications/${id}`, applicationAnswerSchema);
    const [build] = builds;
    if (!build || builds.length > 1) throw new Error(`${name} has ${builds.length} builds, not one`);
    return { waiting: build.learning.waiting, proposedId: build.proposedProfileId, stage: build.learning.stage };
  }
}

const enough = z.object({ have: z.number(), need: z.number() });
const stageSchema = z.union([
  z.object({ stage: z.literal('enforce') }),
  z.object({
    stage: z.literal('audit'),
    promotion: z.object({ quietRuns: enough, inputs: enough, isOver: z.boolean() }),
  }),
]);
const applicationAnswerSchema = z.object({
  builds: z.array(
    z.object({
      proposedProfileId: z.string().nullable(),
      learning: z.object({ waiting: z.number(), stage: stageSchema.nullable() }),
    }),
  ),
});
const profileListSchema = z.object({ profiles: z.array(z.object({ id: z.string(), recordings: z.number() })) });

function whyNot({ state, error, partialReasons, stderr }: CaseRun): string {
  if (state !== 'COMPLETE') return `${state}, ${error ?? ''} ${stderr ?? ''}`.trim();
  return partialReasons === null ? 'it was not recorded' : `recorded in part only (${partialReasons.join(', ')})`;
}
