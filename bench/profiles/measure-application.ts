/** One application through the bench: unrestricted, then learned and enforced at every level, and learned on. */
import { type CaseRun } from './cases/case-run.js';
import { type AuditCourse } from './learn/audit-course.js';
import { type CorpusJobs } from './cases/corpus-jobs.js';
import { type CorpusCase } from './cases/corpus.js';
import { type ProfileLevel } from './report/counts.js';
import { allowedBy, type LearnedProfile } from './learn/learned-profile.js';
import { type Learner } from './learn/learner.js';
import { type ModeName } from './learn/modes.js';
import { isRepeated, type Plan, REPETITIONS, UNRESTRICTED_RUNS } from './cases/plan.js';
import { reachEnforcement } from './learn/reach-enforcement.js';

export interface EnforcedProfile {
  readonly level: ProfileLevel;
  readonly mode: ModeName;
  readonly learned: LearnedProfile;
  /** Null where it was enforced at once. */
  readonly audit: AuditCourse | null;
  readonly heldOut: readonly CaseRun[];
  /** Of the learned cases; empty where the application is not one that is repeated. */
  readonly repetitions: readonly CaseRun[];
  /** What is allowed after one recorded run, two, ... */
  readonly growth: readonly (readonly string[])[];
}

export interface MeasuredApplication {
  readonly name: string;
  readonly plan: Plan;
  /** Case -> runs. */
  readonly unrestricted: Map<string, CaseRun[]>;
  readonly profiles: readonly EnforcedProfile[];
}

/** A run that the approved version did not hold proves nothing. Throws Error. */
export function requireHeld({ caseId, held }: CaseRun, profileVersionId: string, level: ProfileLevel): void {
  if (!held) return;
  const isHeld = held.enforcement === 'enforce' && held.profileVersionId === profileVersionId;
  if (!isHeld) throw new Error(`${caseId} ran at enforcement ${held.enforcement}, not under the approved version`);
  if (level === 'files' && held.landlockStatus === 'NOT_ENFORCED') {
    throw new Error(`${caseId} ran where the kernel holds no file rules: Landlock is missing`);
  }
}

export class ApplicationMeasurement {
  constructor(
    private readonly plan: Plan,
    /** Its reference. */
    private readonly image: string,
    private readonly jobs: CorpusJobs,
    private readonly learner: Learner,
    /** Rethrows where nothing goes on after a failure. */
    private readonly giveUp: (what: string, error: unknown) => void,
  ) {}

  async measure(): Promise<MeasuredApplication> {
    const { application, levels } = this.plan;
    const [unrestricted, ...profiles] = await Promise.all([
      this.#runUnrestricted(),
      ...levels.map((level) => this.#measureLevel(level)),
    ]);
    return { name: application.name, plan: this.plan, unrestricted, profiles: profiles.flat() };
  }

  /** One round after the other, so that what depends on the clock differs. */
  async #runUnrestricted(): Promise<Map<string, CaseRun[]>> {
    const { application, heldOut, learned } = this.plan;
    const { name } = await this.learner.register(`${application.name}-unrestricted`, this.image, application);
    const cases = [...heldOut, ...(isRepeated(this.plan) ? learned : [])];
    const runs = new Map(cases.map(({ id }) => [id, [] as CaseRun[]]));
    for (let round = 0; round < UNRESTRICTED_RUNS; round += 1) {
      for (const run of await this.#all(cases, (of) => this.#unrestricted(name, of))) runs.get(run.caseId)?.push(run);
    }
    return runs;
  }

  #unrestricted(application: string, of: CorpusCase): Promise<CaseRun> {
    return this.jobs.run({ application, of, by: 'admin', enforcement: 'none', monitoring: 'none' });
  }

  /** Once more, for cases in which a restricted run differs: what depends on the clock may have agreed by chance. */
  async confirm(measured: MeasuredApplication, caseIds: readonly string[]): Promise<void> {
    const { application, heldOut, learned } = this.plan;
    const cases = [...heldOut, ...learned].filter(({ id }) => caseIds.includes(id));
    const runs = await this.#all(cases, (of) => this.#unrestricted(`${application.name}-unrestricted`, of));
    for (const run of runs) measured.unrestricted.get(run.caseId)?.push(run);
  }

  async #measureLevel(level: ProfileLevel): Promise<readonly EnforcedProfile[]> {
    const { mode } = this.plan;
    const [growth, enforced] = await Promise.all([
      this.#orGiveUp(`${level}, followed`, this.#follow(level)),
      this.#orGiveUp(`${level}, ${mode}`, this.#enforce(level)),
    ]);
    return enforced ? [{ ...enforced, growth: growth ?? [] }] : [];
  }

  async #orGiveUp<T>(what: string, work: Promise<T>): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      this.giveUp(`${this.plan.application.name}, ${what}`, error);
      return undefined;
    }
  }

  async #enforce(level: ProfileLevel): Promise<Omit<EnforcedProfile, 'growth'>> {
    const { plan, learner, jobs } = this;
    const { application, learned: cases, heldOut, mode } = plan;
    const registered = await learner.register(`${application.name}-${level}-${mode}`, this.image, application);
    await this.#all(cases, (of) => learner.teach(registered, of, level));
    const proposal = await learner.proposal(registered, cases.length);
    const { learned, audit } = await reachEnforcement({ registered, proposal, plan, learner, jobs });
    const enforced = async (of: CorpusCase) => {
      const run = await jobs.run({ application: registered.name, of, by: 'submitter', enforcement: 'enforce' });
      requireHeld(run, learned.id, level);
      return run;
    };
    const runs = await this.#all(heldOut, enforced);
    const repeated = isRepeated(plan) && level === REPETITIONS.level ? cases : [];
    const again = Array.from({ length: REPETITIONS.runs }, () => repeated).flat();
    return { level, mode, learned, audit, heldOut: runs, repetitions: await this.#all(again, enforced) };
  }

  /** One recording at a time, in an application where every one of them brings a proposal. */
  async #follow(level: ProfileLevel): Promise<readonly (readonly string[])[]> {
    const { application, learned, further } = this.plan;
    const gates = { recordingsNeeded: 1, distinctInputsNeeded: 1 };
    const name = `${application.name}-${level}-followed`;
    const registered = await this.learner.register(name, this.image, application, gates);
    const growth: (readonly string[])[] = [];
    for (const of of [...learned, ...further]) {
      await this.learner.teach(registered, of, level);
      growth.push(allowedBy(await this.learner.proposal(registered, growth.length + 1)));
    }
    return growth;
  }

  async #all<T>(cases: readonly CorpusCase[], work: (of: CorpusCase) => Promise<T>): Promise<T[]> {
    return Promise.all(cases.map(work));
  }
}
