/** This node: its engine, its recorder, its row in the database, and the clearing up after an earlier process. */
import { type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WorkerConfig } from '#lib/config';
import {
  type NodeFacts,
  offeredMonitorings,
  probeNode,
  Recorder,
  RecorderError,
  removeContainers,
  removeStaleScratch,
} from '#lib/execution';
import { type Monitoring, nodeArchitecture } from '#lib/profiles';
import type Docker from 'dockerode';
import { type Logger } from 'pino';
import { type AttemptKey } from '../attempt/claim.js';
import { type Granted, type NodeStore } from './node-store.js';
import { type PlanOptions } from '../plan/plan.js';
import { type PlanStore } from '../plan/plan-store.js';

export const ARCHITECTURE = nodeArchitecture(process.arch);

const HEARTBEAT_MS = 10_000;
/** Until the API has verified what the node says of itself. */
const VERIFICATION_POLL_MS = 200;
const VERIFICATION_LATE_MS = 10_000;
const RECORDER_RESTART_MS = 30_000;
const PING_TIMEOUT_MS = 5_000;

export interface NodeOptions {
  readonly config: WorkerConfig;
  readonly docker: Docker;
  readonly store: NodeStore;
  readonly approvalKey: KeyObject;
  readonly initPath: string;
  readonly recorderPath: string;
  readonly logger: Logger;
}

export class Node {
  #recorder: Recorder | RecorderError = new RecorderError('not-started', 'The recorder has not been started yet.');
  #facts: NodeFacts | undefined;
  #granted: Granted | undefined;
  readonly #startedAt = new Date().toISOString();
  readonly #stopping = new AbortController();
  #state: 'READY' | 'DRAINING' = 'DRAINING';
  #heartbeat: NodeJS.Timeout | undefined;
  #restart: NodeJS.Timeout | undefined;

  constructor(private readonly options: NodeOptions) {}

  get id(): string {
    return this.granted.id;
  }

  /** What the grid lets this node give. */
  get granted(): Granted {
    if (!this.#granted) throw new Error('the node has not been registered');
    return this.#granted;
  }

  get name(): string {
    return this.options.config.PORIN_NODE_NAME;
  }

  /** Undefined while this node cannot record. */
  get recorder(): Recorder | undefined {
    return this.#recorder instanceof Recorder ? this.#recorder : undefined;
  }

  /** This node's alone, so that clearing it reaches nothing of another worker's or of anybody's beside it. */
  get workDirectory(): string {
    return join(this.options.config.PORIN_WORK_DIR, `node-${encodeURIComponent(this.name)}`);
  }

  get docker(): Docker {
    return this.options.docker;
  }

  get facts(): NodeFacts {
    if (!this.#facts) throw new Error('the node has not been started');
    return this.#facts;
  }

  /** Takes the node over from an earlier process: its attempts are lost, its containers and directories removed. */
  async start(): Promise<void> {
    const { store, logger } = this.options;
    await this.#startRecorder();
    this.#facts = await this.#probe();
    await this.#register();
    const lost = await store.loseOpenAttempts();
    const removed = await removeContainers(this.docker, { 'porin.node': this.name });
    await removeStaleScratch(this.workDirectory);
    if (lost + removed > 0) logger.warn({ lost, removed }, 'cleared up after an earlier process');
  }

  /** While it does not, every job that is claimed here fails, and a job has few tries. */
  async engineAnswers(): Promise<boolean> {
    const answer = this.docker.ping().then(
      () => true,
      () => false,
    );
    return Promise.race([answer, sleep(PING_TIMEOUT_MS, false, { ref: false })]);
  }

  /** Resolves when the API has verified what the node says of itself: from then on jobs are sent here. */
  async ready(): Promise<void> {
    this.#state = 'READY';
    const late = setTimeout(
      () => this.options.logger.warn('waiting for the API to verify the registration of this node: does it run?'),
      VERIFICATION_LATE_MS,
    );
    const { signal } = this.#stopping;
    try {
      while ((await this.options.store.heartbeat(this.#state)) !== 'READY') {
        await sleep(VERIFICATION_POLL_MS, undefined, { signal });
      }
    } finally {
      clearTimeout(late);
    }
    this.#heartbeat = setInterval(() => void this.#beat(), HEARTBEAT_MS);
  }

  /** No new jobs. */
  async drain(): Promise<void> {
    this.#state = 'DRAINING';
    await this.options.store.heartbeat(this.#state);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#heartbeat);
    clearTimeout(this.#restart);
    if (this.#granted) await this.options.store.heartbeat('GONE').catch(() => undefined);
    await this.recorder?.close();
  }

  labels({ jobId, number }: AttemptKey): Readonly<Record<string, string>> {
    return { 'porin.job': jobId, 'porin.attempt': String(number), 'porin.node': this.name };
  }

  planOptions(plans: PlanStore, signal: AbortSignal): PlanOptions {
    const { approvalKey, config } = this.options;
    return {
      docker: this.docker,
      node: { name: this.name, landlockAbi: this.facts.landlockAbi },
      plans,
      architecture: ARCHITECTURE,
      approvalKey,
      offeredMonitorings: this.#offer().offeredMonitorings,
      beyondDefault: config.PORIN_BEYOND_DEFAULT,
      signal,
    };
  }

  #offer(): { offeredMonitorings: Monitoring[]; facts: Record<string, unknown> } {
    const { facts } = this;
    const has = { recorder: this.recorder !== undefined, strace: facts.straceVersion !== undefined };
    return { offeredMonitorings: offeredMonitorings(has), facts: { ...facts } };
  }

  async #startRecorder(): Promise<void> {
    try {
      const recorder = await Recorder.start({ binaryPath: this.options.recorderPath });
      this.#recorder = recorder;
      void recorder.lost.then((error) => this.#replaceRecorder(error));
    } catch (error) {
      if (!(error instanceof RecorderError)) throw error;
      this.#recorder = error;
      this.options.logger.warn({ code: error.code, err: error.message }, 'this node cannot record');
    }
  }

  /** Runs that are being recorded end with partial recordings; new ones need a new recorder. */
  async #replaceRecorder(error: RecorderError): Promise<void> {
    this.options.logger.error({ code: error.code, err: error.message }, 'the recorder was lost');
    this.#recorder = error;
    try {
      await this.#startRecorder();
      this.#facts = await this.#probe();
      if (this.#granted) await this.#register();
    } catch (failure) {
      // The engine or Postgres may be away too; the worker outlives it.
      this.options.logger.warn({ err: failure }, 'what this node offers could not be told');
    }
    if (!this.recorder) this.#restart = setTimeout(() => void this.#replaceRecorder(error), RECORDER_RESTART_MS);
  }

  #probe(): Promise<NodeFacts> {
    return probeNode({
      docker: this.docker,
      initPath: this.options.initPath,
      recorder: this.#recorder,
    });
  }

  async #register(): Promise<void> {
    const { config, store } = this.options;
    this.#granted = await store.register({
      name: this.name,
      architecture: ARCHITECTURE,
      slots: config.PORIN_SLOTS,
      cpuMilli: config.PORIN_CPU_MILLI,
      memoryBytes: config.PORIN_MEMORY_BYTES,
      diskBytes: config.PORIN_DISK_BYTES,
      startedAt: this.#startedAt,
      ...this.#offer(),
    });
  }

  async #beat(): Promise<void> {
    await this.options.store.heartbeat(this.#state).catch((error: unknown) => {
      this.options.logger.warn({ err: error }, 'the heartbeat could not be written');
    });
  }
}
