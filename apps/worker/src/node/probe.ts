/** A probe of this node: a tiny program of Porin's own is run as a payload would be, and nothing of it stays. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  dropImage,
  type Engine,
  type ExecutorRunReport,
  importImage,
  type Recorder,
  runExecutor,
  Scratch,
  tarOf,
} from '#lib/execution';
import { within } from '#lib/jobs';
import { compileFilter, DEFAULT_CEILING, grantedNames, nodeArchitecture } from '#lib/profiles';
import { type Logger } from 'pino';

export interface ProbeOptions {
  readonly engine: Engine;
  readonly nodeName: string;
  readonly initPath: string;
  /** Whether one is there is no fault of the node's; what is there is used. */
  readonly recorder: () => Recorder | undefined;
  readonly workDirectory: string;
  readonly runDirectory: string;
  readonly logger: Logger;
}

const MIB = 1024 ** 2;
/** The dispatcher waits longer. */
const DEADLINE_MS = 30_000;
const WALL_TIME_MS = 10_000;
const REPOSITORY = 'porin/probe';
/** porin-init itself, a static program: it says its version, and asks the kernel for Landlock. */
const PROGRAM = '/bin/porin-init';
const COMMAND = [PROGRAM, '--version'];
const SAYS = /^porin-init \S+ landlock \d+$/m;
/** Nobody's: a slot's is an attempt's alone, and the program writes nothing. */
const UID = 65_534;
/** Beside what jobs share: less than a worker itself takes. */
const LIMITS = {
  cpuMilli: 1000,
  memoryBytes: 32 * MIB,
  diskBytes: MIB,
  pids: 16,
  wallTimeMs: WALL_TIME_MS,
  logBytes: 4096,
};

export class NodeProbe {
  readonly #stop = new AbortController();
  #running: Promise<unknown> | undefined;

  constructor(private readonly options: ProbeOptions) {}

  /** Resolves to what failed, in words; null where nothing did. One at a time. */
  async run(): Promise<string | null> {
    if (this.#running) return 'The probe before it has not ended.';
    const running = this.#probe();
    this.#running = running;
    running.then(
      () => (this.#running = undefined),
      () => (this.#running = undefined),
    );
    try {
      return problemOf(
        await within(running, DEADLINE_MS, () => new Error(`It took more than ${DEADLINE_MS / 1000} s.`)),
        {
          isRecorded: this.options.recorder() !== undefined,
        },
      );
    } catch (error) {
      this.options.logger.warn({ err: error }, 'a probe of this node failed');
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Resolves when what was going on is over. */
  async stop(): Promise<void> {
    this.#stop.abort('draining');
    await this.#running?.catch(() => undefined);
  }

  async #probe(): Promise<ExecutorRunReport & { readonly stdout: string }> {
    const { engine, initPath, workDirectory, logger } = this.options;
    const runId = randomUUID();
    const image = { repository: REPOSITORY, tag: runId };
    const tar = tarOf([
      { name: 'bin/', mode: 0o755 },
      { name: 'tmp/', mode: 0o1777 },
      { name: PROGRAM.slice(1), mode: 0o755, contents: await readFile(initPath) },
    ]);
    const scratch = await Scratch.create({
      directory: join(workDirectory, `probe-${runId}`),
      bytes: LIMITS.diskBytes,
      uid: UID,
      gid: UID,
    });
    try {
      return await this.#execute(runId, await importImage(engine, image, tar), scratch);
    } finally {
      await Promise.all([
        scratch.remove().catch((error: unknown) => logger.error({ err: error }, 'the scratch of a probe stays')),
        dropImage(engine, image).catch((error: unknown) => logger.error({ err: error }, 'the image of a probe stays')),
      ]);
    }
  }

  async #execute(runId: string, imageId: string, scratch: Scratch): Promise<ExecutorRunReport & { stdout: string }> {
    const { engine, nodeName, initPath, recorder, runDirectory } = this.options;
    const recording = recorder();
    const architecture = nodeArchitecture(process.arch);
    const level = { enforcement: 'none', monitoring: recording ? 'syscalls' : 'none' } as const;
    let stdout = '';
    const report = await runExecutor(
      {
        runId,
        labels: { 'porin.node': nodeName, 'porin.probe': runId },
        imageId,
        imageVolumes: [],
        command: COMMAND,
        environment: {},
        uid: UID,
        gid: UID,
        limits: LIMITS,
        mounts: [],
        scratchDirectory: scratch.path,
        level,
        filter: compileFilter({
          ...{ enforcement: 'none', architecture, rules: null, auditOpen: 'authority', notifyAll: false },
          ceiling: DEFAULT_CEILING,
          engineDefault: grantedNames(architecture, []),
        }),
      },
      {
        engine,
        initPath,
        runDirectory,
        recorder: recording,
        stop: this.#stop.signal,
        onLog: (stream, chunk) => {
          if (stream === 'stdout') stdout += chunk.toString();
        },
      },
    );
    return { ...report, stdout };
  }
}

/** `isRecorded`: it was, unless the recorder came meanwhile. */
function problemOf(
  { outcome, stdout, recording, removalProblem }: ExecutorRunReport & { readonly stdout: string },
  { isRecorded }: { readonly isRecorded: boolean },
): string | null {
  if (outcome.kind !== 'exited' || outcome.exitCode !== 0)
    return `Its program ended otherwise: ${JSON.stringify(outcome)}.`;
  if (!SAYS.test(stdout)) return 'Its program did not say what it should.';
  if (removalProblem !== undefined) return `Its container stays: ${removalProblem}`;
  if (isRecorded && recording?.partialReasons.includes('recorder-lost')) return 'The recorder was lost.';
  return null;
}
