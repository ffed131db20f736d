/**
 * Runs one attempt of a job on this node:
 * 1. claim it, by compare-and-set, with a lease that is renewed until the end, and open what was sealed for it;
 * 2. plan: resolve the images, verify the approved profiles, select every executor's level; or hold the job;
 * 3. stage the inputs and check their checksums;
 * 4. run the executors one after another, each under its filter and recorder; refused calls end or hold the job here;
 * 5. publish the outputs (publisher.ts), of a failed payload too where the job asks for it;
 * 6. end the attempt, and the job with it unless the reconciler may try again.
 */
import { randomUUID } from 'node:crypto';
import {
  type DenialStops,
  type ExecutorRunReport,
  type RunLimits,
  runExecutor,
  type StopReason,
  type StormTerms,
} from '#lib/execution';
import { isIgnorable, JobError, type JobErrorCode, type OutputReference } from '#lib/jobs';
import { programDigest, toVariables } from '#lib/profiles';
import { type Message } from '#lib/queue';
import { JobInputs, type StagedOutput } from '#lib/staging';
import { type Logger } from 'pino';
import { type AttemptStore } from './attempt-store.js';
import { type PublicationStore } from './publication-store.js';
import { Publisher, type PublisherOptions, sweep } from './publisher.js';
import { type Claim } from './claim.js';
import { finishedRun, unreportedRun } from '../run/finished-run.js';
import { type RunFacts, stopError, toJobError } from './job-errors.js';
import { Lease } from './lease.js';
import { LostAttemptError } from './lost-attempt.js';
import { NO_SECRETS, openSecrets } from './open-secrets.js';
import { runVerdict } from './run-verdict.js';
import { type Node } from '../node/node.js';
import { type AttemptRoom, type TenantImages } from '../node/tenant-images.js';
import { type PlannedExecutor, planAttempt } from '../plan/plan.js';
import { type PlanStore } from '../plan/plan-store.js';
import { type RunStore } from '../run/run-store.js';
import { BesideProfile } from '../run/beside-profile.js';
import { RedirectedOutput } from '../run/redirected-output.js';
import { RunWriters } from '../run/run-writers.js';
import { outputPlace, Workspace, type WorkspacePlace } from './workspace.js';

export interface AttemptOptions {
  readonly node: Node;
  readonly store: AttemptStore;
  readonly publications: PublicationStore;
  readonly plans: PlanStore;
  readonly runs: RunStore;
  readonly tenantImages: TenantImages;
  readonly workspaces: WorkspacePlace;
  readonly runDirectory: string;
  readonly initPath: string;
  readonly leaseMs: number;
  readonly logLimitBytes: number;
  readonly traceMaximumBytes: number;
  /** Refused calls that are too many. */
  readonly storm: StormTerms;
  readonly logger: Logger;
}

/** The ends of jobs that were refused calls. */
const DENIALS: ReadonlySet<JobErrorCode> = new Set(['denied', 'denial-storm']);
/** Processes and threads of one payload. */
const PIDS_LIMIT = 1024;

/** Ends an attempt whose job is to wait for the decision about what a run of it was refused. */
class HeldRun extends Error {
  constructor(
    readonly refused: JobError,
    readonly buildId: string,
  ) {
    super(refused.message);
  }
}

export class Attempt {
  readonly #stop = new AbortController();
  /** Of a publication that is committed, which another attempt finishes then: no cancel stops it. */
  readonly #stopPublication = new AbortController();
  #wasDenied = false;
  readonly #startedAt = performance.now();
  #lastRunId: string | undefined;
  #payloadMs = 0;
  /** Of the executors so far, the content of the image and the digest of the inputs. */
  readonly #before: string[] = [];
  #secrets = NO_SECRETS;
  readonly #inputs: JobInputs;

  private constructor(
    private readonly claim: Claim,
    private readonly slot: number,
    private readonly options: AttemptOptions,
    private readonly logger: Logger,
  ) {
    this.#inputs = new JobInputs(options.workspaces.rules, claim.inputs.length);
  }

  /** Undefined when the message may not be claimed: it is forged, repeated, or the job was canceled meanwhile. */
  static async claim(message: Message, slot: number, options: AttemptOptions): Promise<Attempt | undefined> {
    const claim = await options.store.claim(message);
    const logger = options.logger.child(message);
    if (claim) return new Attempt(claim, slot, options, logger);
    logger.warn({ code: 'forged-message' }, JobError.of('forged-message', { job: message.jobId, ...message }).message);
    return undefined;
  }

  get jobId(): string {
    return this.claim.jobId;
  }

  stop(reason: StopReason): void {
    if (reason === 'lease-lost' || reason === 'draining') this.#stopPublication.abort(reason);
    this.#stop.abort(reason);
  }

  /** Never rejects for what the job or this node did wrong: that is written into the database. */
  async run(): Promise<void> {
    const { store, leaseMs, tenantImages } = this.options;
    const room = tenantImages.room(this.claim, this.#stop.signal);
    const lease = new Lease({
      leaseMs,
      renew: () => store.renew(this.claim, this.#inputs.progress),
      onEnd: (reason) => this.stop(reason),
    });
    try {
      await this.#carryOut(room);
    } catch (error) {
      await this.#fail(error);
    } finally {
      lease.end();
      room.close();
    }
  }

  /** The workspace takes about as long to make as the plan, and is needed unless the job is held or refused. */
  async #carryOut(room: AttemptRoom): Promise<void> {
    const { store, plans, node, workspaces } = this.options;
    const { signal } = this.#stop;
    this.#secrets = await openSecrets(this.claim, node);
    const { credentials, registries } = this.#secrets;
    for (const staging of this.claim.earlierStagings) await sweep(staging, this.#publisherOptions);
    if (this.claim.publication) return this.#resume(this.claim.publication.outputs);
    const making = Workspace.make(this.claim, this.slot, workspaces, credentials);
    const planning = planAttempt(this.claim, node.planOptions(plans, { room, registries }, signal));
    const [plan, made] = await Promise.allSettled([planning, making]);
    try {
      if (plan.status === 'rejected') throw plan.reason;
      if (plan.value.kind === 'hold') {
        const { reason } = plan.value;
        await store.hold(this.claim, reason);
        return this.logger.info({ reason }, 'held');
      }
      const workspace = await making;
      await workspace.stage(this.#inputs, signal);
      const stageMs = performance.now() - this.#startedAt;
      try {
        for (const executor of plan.value.executors) {
          await this.#runOne(executor, workspace, stageMs).catch((error: unknown) => this.#ignore(executor, error));
        }
      } catch (error) {
        if (!this.#publishesAfter(error)) throw error;
        return await this.#publish(workspace, error);
      }
      await this.#publish(workspace, null);
    } finally {
      if (made.status === 'fulfilled') await this.#remove(made.value);
    }
  }

  /** Throws it again where it ends the job. Of refused calls, only those that have no consequence leave an error of the payload's own. */
  #ignore({ asked, position }: PlannedExecutor, error: unknown): void {
    if (!asked.ignoreError || this.#stop.signal.aborted) throw error;
    if (!(error instanceof JobError) || !isIgnorable(error.code)) throw error;
    this.logger.info({ position, code: error.code }, 'the next executor runs all the same');
  }

  async #remove(workspace: Workspace): Promise<void> {
    await workspace.remove().catch((error: unknown) => this.logger.error({ err: error }, 'the workspace stays'));
  }

  /** `end`: the error that the payload ended by. */
  async #publish(workspace: Workspace, end: JobError | null): Promise<void> {
    const { store, runs } = this.options;
    if (this.claim.outputs.length === 0) {
      if (end) throw end;
      await Promise.all([store.complete(this.claim), this.#remove(workspace)]);
      return this.logger.info('complete');
    }
    const startedAt = performance.now();
    const publisher = new Publisher(this.claim, this.#publisherOptions);
    const manifest = await this.#commit(publisher, workspace, end);
    // The payload's scratch is not needed any more: everything is staged.
    await Promise.all([publisher.carryOut(manifest, this.#stopPublication.signal), this.#remove(workspace)]);
    if (this.#lastRunId !== undefined) {
      await runs.addPhases(this.#lastRunId, { upload: performance.now() - startedAt }).catch(() => undefined);
    }
  }

  /** What the payload did not leave as it should is the end of the job; the rest is published all the same where it asks for it. */
  async #commit(publisher: Publisher, workspace: Workspace, end: JobError | null): Promise<readonly StagedOutput[]> {
    const { signal } = this.#stop;
    const sourceOf = (output: OutputReference) => workspace.sourceOf(output);
    try {
      const manifest = await publisher.commit(sourceOf, signal, end);
      if (manifest) return manifest;
    } catch (error) {
      if (end !== null || !this.#publishesAfter(error)) throw error;
      return this.#commit(publisher, workspace, error);
    }
    throw end ?? new Error('there is no output and no error');
  }

  /** Whether the job's outputs are published though it ends by the error. Never after a refused call, or a stop. */
  #publishesAfter(error: unknown): error is JobError {
    if (this.claim.publishOn !== 'executor-error' || this.#wasDenied || this.#stop.signal.aborted) return false;
    if (!(error instanceof JobError)) return false;
    const { fault, finalState } = error.entry;
    return fault === 'payload' && finalState === 'EXECUTOR_ERROR' && !DENIALS.has(error.code);
  }

  async #resume(manifest: readonly StagedOutput[]): Promise<void> {
    await this.options.publications.resume(this.claim);
    await new Publisher(this.claim, this.#publisherOptions).carryOut(manifest, this.#stopPublication.signal);
  }

  get #publisherOptions(): PublisherOptions {
    const { publications, workspaces } = this.options;
    const place = outputPlace(workspaces, this.claim.tenantTerms, this.#secrets.credentials);
    return { store: publications, place, logger: this.logger };
  }

  async #runOne(executor: PlannedExecutor, workspace: Workspace, stageMs: number): Promise<void> {
    const { runs, node } = this.options;
    const runId = randomUUID();
    const { level, build, profileVersionId, asked } = executor;
    const inputsDigest = workspace.inputsDigest(executor, this.#before);
    this.#before.push(build.contentDigest, inputsDigest);
    const started = await runs.startRun(this.claim, {
      id: runId,
      position: executor.position,
      buildId: build.id,
      profileVersionId,
      ...level,
      selectionReason: executor.selectionReason,
      filterDigest: programDigest(executor.filter.filter),
      inputsDigest,
      dataDigest: workspace.dataDigest,
      nodeFacts: { ...node.facts },
      cachedInputs: workspace.cachedInputs,
    });
    if (!started) throw JobError.of('profile-revoked', { profileVersion: profileVersionId ?? '' });
    this.#lastRunId = runId;
    const limits = this.#limits(executor.pids);
    const writers = new RunWriters(runs, runId, this.logger);
    const heldBy = { enforcement: level.enforcement, landlock: executor.landlock !== undefined };
    const beside = executor.profile && new BesideProfile(executor.profile, heldBy, writers.denials);
    const facts: RunFacts = {
      limits,
      wallTimeS: this.claim.wallTimeS,
      command: executor.command,
      workingDirectory: executor.workingDirectory,
      stdin: asked.stdin,
      node: node.name,
    };
    let report: ExecutorRunReport;
    let redirected: RedirectedOutput | undefined;
    try {
      redirected = await RedirectedOutput.open(asked, {
        sourceOf: (file) => workspace.sourceOf(file),
        owner: workspace.owner,
        diskBytes: limits.diskBytes,
      });
      report = await runExecutor(
        {
          runId,
          labels: node.labels(this.claim),
          imageId: executor.image.imageId,
          imageVolumes: executor.image.volumes,
          command: executor.command,
          environment: executor.environment,
          workingDirectory: executor.workingDirectory,
          ...(asked.stdin !== null && { standardInput: asked.stdin }),
          ...workspace.owner,
          limits,
          mounts: workspace.mounts,
          scratchDirectory: workspace.scratch.path,
          level,
          filter: executor.filter,
          ...(executor.landlock && { landlock: executor.landlock }),
          ...(executor.landlockMinimum && { landlockMinimum: executor.landlockMinimum }),
          ...this.#denialStops(executor),
        },
        {
          engine: node.engine,
          initPath: this.options.initPath,
          runDirectory: this.options.runDirectory,
          recorder: node.recorder,
          stop: this.#stop.signal,
          ...writers.listeners,
          ...(redirected && { onOutput: redirected.write }),
          ...(beside && level.enforcement === 'audit' && { onCounts: beside.takeCounts }),
        },
      );
    } catch (error) {
      await redirected?.end();
      await this.#finishUnreported(runId, writers, error);
      throw error;
    }
    const lostOutput = await redirected?.end();
    const recording = report.recording && toVariables(report.recording, executor.places);
    if (recording) beside?.finish(recording);
    const denials = [...report.denials, ...(beside?.refusedFiles ?? [])];
    const verdict = runVerdict(report, denials, executor, { ...facts, lostOutput });
    const written = await writers.end();
    await runs.finishRun(
      runId,
      finishedRun(report, {
        written,
        phasesMs: { queue: this.claim.queueMs, stage: stageMs },
        denials: writers.denials,
        recording,
        errorCode: verdict.error?.code ?? null,
      }),
    );
    if (report.removalProblem !== undefined)
      this.logger.warn({ runId }, `its container stays: ${report.removalProblem}`);
    this.#payloadMs += report.phasesMs.payload;
    this.#wasDenied ||= level.enforcement !== 'none' && denials.length > 0;
    if (verdict.kind === 'hold') throw new HeldRun(verdict.error, build.id);
    if (verdict.kind === 'fail') throw verdict.error;
  }

  /** A run of which there is no report has an end too, and its error. Never rejects: `error` is what went wrong. */
  async #finishUnreported(runId: string, writers: RunWriters, error: unknown): Promise<void> {
    const { code } = toJobError(error, this.options.node.name);
    try {
      await this.options.runs.finishRun(runId, unreportedRun(await writers.end(), writers.denials, code));
    } catch (failure) {
      this.logger.warn({ runId, err: failure }, 'the end of a run could not be written');
    }
  }

  #denialStops({ level, onDenial }: PlannedExecutor): { denialStops?: DenialStops } {
    if (level.enforcement === 'none') return {};
    const mayStorm = onDenial === null || onDenial === 'report';
    return { denialStops: { dangerous: true, ...(!mayStorm && { storm: this.options.storm }) } };
  }

  #limits(pids = PIDS_LIMIT): RunLimits {
    return {
      ...this.claim.share,
      pids: Math.min(pids, PIDS_LIMIT),
      wallTimeMs: Math.max(1, this.claim.wallTimeS * 1000 - this.#payloadMs),
      logBytes: this.options.logLimitBytes,
      traceBytes: this.options.traceMaximumBytes,
    };
  }

  async #fail(cause: unknown): Promise<void> {
    const { store, node } = this.options;
    const { signal } = this.#stop;
    // What a stopped attempt stumbled over is a consequence of the stop.
    const error =
      signal.aborted && !(cause instanceof JobError && !cause.entry.retryable)
        ? stopError(signal.reason as StopReason, {
            limits: this.#limits(),
            wallTimeS: this.claim.wallTimeS,
            node: node.name,
          })
        : toJobError(cause instanceof HeldRun ? cause.refused : cause, node.name);
    if (error.entry.fault === 'system') this.logger.error({ err: error }, error.code);
    else this.logger.info({ code: error.code, cause: causeOf(error) }, error.message);
    try {
      if (cause instanceof HeldRun && !signal.aborted) {
        await store.holdForDecision(this.claim, cause.buildId, cause.refused);
        return this.logger.info({ code: cause.refused.code }, 'held until somebody decides about what it was refused');
      }
      await store.fail(this.claim, error);
    } catch (failure) {
      if (failure instanceof LostAttemptError) return this.logger.warn({ err: failure }, 'the attempt is lost');
      // The lease runs out and the reconciler goes on from there.
      this.logger.error({ err: failure }, 'the end of the attempt could not be written');
    }
  }
}

/** What the engine or a registry said is for the log alone. */
function causeOf({ cause }: Error): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  const deeper = causeOf(cause);
  return deeper === undefined ? cause.message : `${cause.message} <- ${deeper}`;
}
