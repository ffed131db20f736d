/** This node: its engine, its recorder, its row in the database, and the clearing up after an earlier process. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WorkerConfig } from '#lib/config';
import {
  type Engine,
  type ImageSource,
  type NodeFacts,
  offeredMonitorings,
  probeNode,
  Recorder,
  RecorderError,
  type RegistryCredential,
  removeContainers,
  removeStaleScratch,
} from '#lib/execution';
import { type ImageLists } from '#lib/jobs';
import { type Monitoring, nodeArchitecture } from '#lib/profiles';
import { SealingKey } from '#lib/secrets';
import { type Logger } from 'pino';
import { type AttemptKey } from '../attempt/attempt-key.js';
import { Heartbeat } from './heartbeat.js';
import { type Granted, type HeartbeatAnswer, type NodeStore } from './node-store.js';
import { NodeProbe } from './probe.js';
import { type ApprovalTrust } from '../plan/approval-trust.js';
import { type PlanOptions } from '../plan/plan.js';
import { type PlanStore } from '../plan/plan-store.js';
import { NodeRefusedError } from './self-check/node-problem.js';
import { SelfCheck } from './self-check/self-check.js';
import { type AttemptRoom } from './tenant-images.js';

export const ARCHITECTURE = nodeArchitecture(process.arch);

/** Until the API has verified what the node says of itself. */
const VERIFICATION_POLL_MS = 200;
const VERIFICATION_LATE_MS = 10_000;
const RECORDER_RESTART_MS = 30_000;
const PING_TIMEOUT_MS = 5_000;

export interface NodeOptions {
  readonly config: WorkerConfig;
  readonly engine: Engine;
  readonly images: ImageSource;
  readonly store: NodeStore;
  readonly trust: ApprovalTrust;
  readonly initPath: string;
  readonly recorderPath: string;
  readonly logger: Logger;
}

/** What one attempt may pull, and by what. */
export interface AttemptImages {
  readonly room: AttemptRoom;
  readonly registries: readonly RegistryCredential[];
}

export class Node {
  #recorder: Recorder | RecorderError = new RecorderError('not-started', 'The recorder has not been started yet.');
  #facts: NodeFacts | undefined;
  #granted: Granted | undefined;
  #sealingKey: SealingKey | undefined;
  readonly #startedAt = new Date().toISOString();
  readonly #stopping = new AbortController();
  #state: 'READY' | 'DRAINING' = 'DRAINING';
  #toldKeys: string | undefined;
  #toldAilment: string | null = null;
  /** The number of the last probe that was begun. */
  #probing: number | undefined;
  readonly #heartbeat = new Heartbeat(() => this.#beat());
  readonly #selfProbe: NodeProbe;
  #restart: NodeJS.Timeout | undefined;
  readonly #selfCheck: SelfCheck;

  constructor(private readonly options: NodeOptions) {
    const { config, engine, store, logger } = options;
    this.#selfProbe = new NodeProbe({
      engine,
      nodeName: this.name,
      initPath: options.initPath,
      recorder: () => this.recorder,
      workDirectory: this.workDirectory,
      runDirectory: config.PORIN_RUN_DIR,
      logger,
    });
    this.#selfCheck = new SelfCheck({
      engine,
      workDirectory: this.workDirectory,
      everyMs: config.PORIN_SELF_CHECK_MS,
      recorderProblem: () => this.facts.recorderProblem,
      databaseTimeMs: () => store.databaseTimeMs(),
      logger,
      settings: {
        slots: config.PORIN_SLOTS,
        cpuMilli: config.PORIN_CPU_MILLI,
        memoryBytes: config.PORIN_MEMORY_BYTES,
        diskBytes: config.PORIN_DISK_BYTES,
        baseUid: config.PORIN_BASE_UID,
        imagePatterns: this.imageLists.registries.length + this.imageLists.local.length,
      },
    });
  }

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

  /** Beside the work directory, which is emptied when the node starts: bytes of committed outputs that are to be sent. */
  get sendDirectory(): string {
    return join(this.options.config.PORIN_WORK_DIR, `send-${encodeURIComponent(this.name)}`);
  }

  /** Beside it too: inputs that were fetched, for later jobs. */
  get inputCacheDirectory(): string {
    return join(this.options.config.PORIN_WORK_DIR, `inputs-${encodeURIComponent(this.name)}`);
  }

  /** Of this process. */
  get sealingKey(): SealingKey {
    if (!this.#sealingKey) throw new Error('the node has not been started');
    return this.#sealingKey;
  }

  get engine(): Engine {
    return this.options.engine;
  }

  get images(): ImageSource {
    return this.options.images;
  }

  /** What may be run here, whoever asks. */
  get imageLists(): ImageLists {
    const { PORIN_IMAGE_REGISTRIES: registries = [], PORIN_LOCAL_IMAGES: local = [] } = this.options.config;
    return { registries, local };
  }

  get facts(): NodeFacts {
    if (!this.#facts) throw new Error('the node has not been started');
    return this.#facts;
  }

  /**
   * Takes the node over from an earlier process: its containers and directories are removed, its attempts lost. Throws
   * NodeRefusedError where the node has a severe problem; what an earlier process left on its disk is none.
   */
  async start(): Promise<void> {
    const { store, logger } = this.options;
    this.#sealingKey = await SealingKey.generate();
    await this.#startRecorder();
    this.#facts = await this.#probe();
    const removed = await removeContainers(this.engine, { 'porin.node': this.name });
    await removeStaleScratch(this.workDirectory);
    await this.#selfCheck.whole();
    const severe = this.#selfCheck.problems.filter((problem) => problem.severe);
    if (severe.length > 0) throw new NodeRefusedError(severe);
    // Before a probe is asked for, so that one that succeeds says that the node is well since.
    const lost = await store.loseOpenAttempts();
    await this.#register();
    if (lost + removed > 0) logger.warn({ lost, removed }, 'cleared up after an earlier process');
  }

  /** Check before claiming: with the engine down, claims only burn attempts. */
  async engineAnswers(): Promise<boolean> {
    const answers = await this.#ping();
    if (!answers) this.beat();
    return answers;
  }

  /** There is something to be told, or asked for. */
  beat(): void {
    this.#heartbeat.wake();
  }

  #ping(): Promise<boolean> {
    return this.engine.send({ method: 'GET', path: ['_ping'], timeoutMs: PING_TIMEOUT_MS }).then(
      () => true,
      () => false,
    );
  }

  /** What keeps this node from working. */
  async #ailment(): Promise<string | null> {
    const severe = this.#selfCheck.problems.find((problem) => problem.severe);
    if (severe) return `${severe.problem} ${severe.advice}`;
    return (await this.#ping()) ? null : 'The container engine does not answer.';
  }

  /** Resolves when the dispatcher has verified what the node says of itself and judged a probe: from then on jobs are sent here. */
  async ready(): Promise<void> {
    const late = setTimeout(
      () => this.options.logger.warn('waiting for the dispatcher to verify and probe this node: does it run?'),
      VERIFICATION_LATE_MS,
    );
    const { signal } = this.#stopping;
    try {
      while ((await this.#enter('READY')) !== 'READY') await sleep(VERIFICATION_POLL_MS, undefined, { signal });
    } finally {
      clearTimeout(late);
    }
    this.#heartbeat.start();
    this.#selfCheck.start(() => this.#register());
  }

  /** No new jobs. */
  async drain(): Promise<void> {
    await this.#enter('DRAINING');
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#heartbeat.stop();
    await this.#selfProbe.stop();
    clearTimeout(this.#restart);
    this.#selfCheck.stop();
    if (this.#granted) await this.options.store.heartbeat('GONE', null).catch(() => undefined);
    await this.recorder?.close();
  }

  labels({ jobId, number }: AttemptKey): Readonly<Record<string, string>> {
    return { 'porin.job': jobId, 'porin.attempt': String(number), 'porin.node': this.name };
  }

  planOptions(plans: PlanStore, { room, registries }: AttemptImages, signal: AbortSignal): PlanOptions {
    const { trust, config } = this.options;
    return {
      images: this.images,
      imageLists: this.imageLists,
      room,
      registries,
      node: { name: this.name, landlockAbi: this.facts.landlockAbi },
      plans,
      architecture: ARCHITECTURE,
      trust,
      offeredMonitorings: this.#offer().offeredMonitorings,
      beyondDefault: config.PORIN_BEYOND_DEFAULT,
      signal,
    };
  }

  #offer(): { offeredMonitorings: Monitoring[]; facts: Record<string, unknown> } {
    const { facts } = this;
    const has = { recorder: this.recorder !== undefined, strace: facts.straceVersion !== undefined };
    return {
      offeredMonitorings: offeredMonitorings(has),
      facts: { ...facts, trustedKeys: this.#trustedKeys(), problems: this.#selfCheck.problems },
    };
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
      await this.#selfCheck.whole();
      if (this.#granted) await this.#register();
    } catch (failure) {
      // The engine or Postgres may be away too; the worker outlives it.
      this.options.logger.warn({ err: failure }, 'what this node offers could not be told');
    }
    if (!this.recorder) this.#restart = setTimeout(() => void this.#replaceRecorder(error), RECORDER_RESTART_MS);
  }

  #probe(): Promise<NodeFacts> {
    return probeNode({
      engine: this.engine,
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
      sealingKey: this.sealingKey.publicKey,
      ...this.#offer(),
    });
    this.#toldKeys = this.#trustedKeys().join(' ');
  }

  async #enter(state: 'READY' | 'DRAINING'): Promise<string> {
    this.#state = state;
    return this.#tellAlive(state);
  }

  #trustedKeys(): readonly string[] {
    return [...this.options.trust.keys().keys()];
  }

  /** False where the node cannot work. */
  async #beat(): Promise<boolean> {
    try {
      await this.#tellAlive(this.#state);
      await this.#tellKeys();
    } catch (error) {
      this.options.logger.warn({ err: error }, 'the heartbeat could not be written');
    }
    return this.#toldAilment === null;
  }

  /** The administrator who changes keys looks for it in the node's facts. */
  async #tellKeys(): Promise<void> {
    if (this.#trustedKeys().join(' ') !== this.#toldKeys) await this.#register();
  }

  /** The file's age tells a health check, which cannot ask the database, when that was. */
  async #tellAlive(state: 'READY' | 'DRAINING'): Promise<HeartbeatAnswer['state']> {
    const ailment = await this.#ailment();
    const entered = await this.options.store.heartbeat(state, ailment);
    if (ailment !== this.#toldAilment) {
      if (ailment === null) this.options.logger.info('this node can work again');
      else this.options.logger.error({ ailment }, 'this node cannot work: it gets no jobs');
    }
    this.#toldAilment = ailment;
    if (entered.probe !== null && entered.probe !== this.#probing) void this.#answerProbe(entered.probe);
    await writeFile(join(this.options.config.PORIN_RUN_DIR, 'heartbeat'), `${new Date().toISOString()}\n`);
    return entered.state;
  }

  /** Beside everything else: the dispatcher waits for it, and asks again. */
  async #answerProbe(number: number): Promise<void> {
    const { store, logger } = this.options;
    this.#probing = number;
    try {
      await store.endProbe(number, await this.#selfProbe.run());
    } catch (error) {
      logger.warn({ err: error }, 'the end of a probe could not be told');
      this.#probing = undefined;
    }
  }
}
