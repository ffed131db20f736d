/** Takes a proposed profile to its enforcement, in the way of the mode. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type AuditCourse, auditedCases, nextStep } from './audit-course.js';
import { type CorpusJobs } from '../cases/corpus-jobs.js';
import { type LearnedProfile } from './learned-profile.js';
import { type Learner, type Registration } from './learner.js';
import { type ModeName } from './modes.js';
import { type Plan } from '../cases/plan.js';

const POLL_MS = 400;
const SETTLED_LIMIT_MS = 180_000;

export interface Proposed {
  readonly registered: Registration;
  readonly proposal: LearnedProfile;
  readonly plan: Plan;
  readonly learner: Learner;
  readonly jobs: CorpusJobs;
}

export interface Enforced {
  readonly learned: LearnedProfile;
  /** Null where the proposal was enforced as it was. */
  readonly audit: AuditCourse | null;
}

const WAYS: Readonly<Record<ModeName, (proposed: Proposed) => Promise<Enforced>>> = {
  stages: auditUntilEnforced,
  direct: enforceAtOnce,
};

export function reachEnforcement(proposed: Proposed): Promise<Enforced> {
  return WAYS[proposed.plan.mode](proposed);
}

async function enforceAtOnce({ learner, proposal }: Proposed): Promise<Enforced> {
  await learner.approve(proposal, 'enforce');
  return { learned: proposal, audit: null };
}

/** Throws Error where the API takes more than three minutes to make up its mind. */
async function auditUntilEnforced(proposed: Proposed): Promise<Enforced> {
  const { learner, jobs, registered, plan } = proposed;
  let learned = proposed.proposal;
  let [runs, approved] = [0, 0];
  await learner.approve(learned, 'audit');
  for (let deadline = Date.now() + SETTLED_LIMIT_MS; ;) {
    const step = nextStep(await learner.standing(registered), runs);
    switch (step.kind) {
      case 'wait':
        if (Date.now() > deadline) throw new Error(`${registered.name}: nothing follows from what was audited`);
        await sleep(POLL_MS, undefined, { signal: learner.stop });
        continue;
      case 'approve':
        learned = await learner.profile(step.profileId);
        await learner.approve(learned, 'audit');
        approved += 1;
        break;
      case 'run': {
        const cases = auditedCases(plan, runs, step.runs);
        await Promise.all(cases.map((of) => jobs.run({ application: registered.name, of, by: 'submitter' })));
        runs += cases.length;
        break;
      }
      case 'end':
        if (!step.isPromoted) await learner.enforce(learned, runs);
        return { learned, audit: { runs, approved, isPromoted: step.isPromoted } };
    }
    deadline = Date.now() + SETTLED_LIMIT_MS;
  }
}
