/** Runs a program at a level, on its own core, the same way every time. */
import { randomUUID } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Engine,
  type ExecutorContext,
  type ExecutorRunReport,
  type Mount,
  type PayloadUsage,
  type Recorder,
  runExecutor,
} from '#lib/execution';
import { type Places } from '#lib/profiles';
import { type LevelName, LEVELS } from './levels.js';
import { type ObserverBeside, observerBeside } from './observer-beside.js';
import { type Policies, type Policy } from './policies.js';

const MIB = 1024 ** 2;
/** A user of the benches' own. */
const UID = 231_000;
export const OUTPUT_DIRECTORY = '/output';

export interface BenchProgram {
  readonly name: string;
  readonly imageId: string;
  readonly command: readonly string[];
  /** Over the image's own. */
  readonly environment: Readonly<Record<string, string>>;
  readonly inputs: readonly Mount[];
  /** The calls about which it prints what they cost; absent for other programs. */
  readonly calls?: readonly string[];
}

export interface BenchRun {
  readonly report: ExecutorRunReport;
  readonly usage: PayloadUsage;
  readonly stdout: string;
}

export interface BenchMachine {
  readonly engine: Engine;
  readonly recorder: Recorder;
  readonly initPath: string;
  readonly runDirectory: string;
  /** Where the outputs go; each run finds it empty. */
  readonly directory: string;
  readonly cpuset: string;
  readonly stop: AbortSignal;
}

export class BenchRuns {
  constructor(private readonly machine: BenchMachine) {}

  /** @throws Error when the payload did not end with exit code 0: then nothing it did can be compared */
  async run(program: BenchProgram, level: LevelName, policies: Policies): Promise<BenchRun> {
    const beside = observerBeside(LEVELS[level].beside, this.machine.directory);
    try {
      const run = await this.#runObserved(program, level, policies, beside);
      await beside?.end();
      return run;
    } finally {
      beside?.kill();
    }
  }

  /** @throws Error when the bench was interrupted */
  throwIfStopped(): void {
    this.machine.stop.throwIfAborted();
  }

  /** What the last run wrote. */
  get outputDirectory(): string {
    return join(this.machine.directory, 'scratch', 'output');
  }

  async #runObserved(
    program: BenchProgram,
    name: LevelName,
    policies: Policies,
    beside: ObserverBeside | undefined,
  ): Promise<BenchRun> {
    const policy = policies[name];
    if (!policy) throw new Error('there is no profile for it');
    const scratchDirectory = this.#emptyDirectory('scratch');
    const output = this.#emptyDirectory('scratch', 'output');
    const logs = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    const { level } = LEVELS[name];
    const report = await runExecutor(
      {
        runId: randomUUID(),
        labels: { 'porin.bench': program.name, 'porin.job': 'bench', 'porin.attempt': '1', 'porin.node': 'bench' },
        imageId: program.imageId,
        command: program.command,
        environment: program.environment,
        imageVolumes: [],
        uid: UID,
        gid: UID,
        limits: {
          cpuMilli: 1000,
          memoryBytes: 1024 * MIB,
          diskBytes: 512 * MIB,
          pids: 64,
          wallTimeMs: 600_000,
          logBytes: MIB,
          traceBytes: 512 * MIB,
        },
        cpuset: this.machine.cpuset,
        mounts: [...program.inputs, { source: output, target: OUTPUT_DIRECTORY, readOnly: false }],
        scratchDirectory,
        level,
        ...policy,
      },
      { ...this.#context(logs), ...(beside && { atGate: (pid: number) => beside.attach(pid) }) },
    );
    this.throwIfStopped();
    const stdout = Buffer.concat(logs.stdout).toString();
    const { outcome, usage } = report;
    if (outcome.kind !== 'exited' || outcome.exitCode !== 0 || !usage) {
      const stderr = Buffer.concat(logs.stderr).toString().trim();
      throw new Error(`${program.name} at ${name} ended as ${JSON.stringify(outcome)}: ${stderr}`);
    }
    checkHeld(report, policy);
    return { report, usage, stdout };
  }

  #context(logs: Readonly<Record<'stdout' | 'stderr', Buffer[]>>): ExecutorContext {
    const { engine, recorder, initPath, runDirectory, stop } = this.machine;
    return { engine, recorder, initPath, runDirectory, stop, onLog: (stream, chunk) => void logs[stream].push(chunk) };
  }

  #emptyDirectory(...names: readonly string[]): string {
    const path = join(this.machine.directory, ...names);
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path);
    if (process.getuid?.() === 0) chownSync(path, UID, UID);
    else chmodSync(path, 0o777);
    return path;
  }
}

/** What was asked for and not done would be measured as costing nothing. */
function checkHeld({ trace, landlockStatus }: ExecutorRunReport, { landlock }: Policy): void {
  if (trace?.truncated) throw new Error(`the trace ends after ${trace.lines} lines`);
  if (landlock && landlockStatus !== 'FULLY_ENFORCED' && landlockStatus !== 'PARTIALLY_ENFORCED') {
    throw new Error('Landlock is not there to hold the profile');
  }
}

/** What the variables of a program's profile stand for. */
export function placesOf({ inputs }: BenchProgram): Places {
  return {
    inputs: inputs.map(({ target }) => target),
    outputs: [OUTPUT_DIRECTORY],
    temporary: ['/tmp', '/dev/shm'],
  };
}
