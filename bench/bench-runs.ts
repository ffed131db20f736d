/** Runs a program at a level, on its own core, the same way every time. */
import { randomUUID } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ExecutorContext,
  type ExecutorRunReport,
  type Mount,
  type PayloadUsage,
  type Recorder,
  runExecutor,
} from '#lib/execution';
import { type CompiledFilter, type Enforcement, type Level } from '#lib/profiles';
import type Docker from 'dockerode';
import { type LevelName } from './block-plan.js';

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
}

export type Filters = Readonly<Record<Enforcement, CompiledFilter>>;

export interface BenchRun {
  readonly report: ExecutorRunReport;
  readonly usage: PayloadUsage;
  readonly stdout: string;
}

export interface BenchMachine {
  readonly docker: Docker;
  readonly recorder: Recorder;
  readonly initPath: string;
  readonly runDirectory: string;
  /** Where the outputs go; each run finds it empty. */
  readonly directory: string;
  readonly cpuset: string;
  readonly stop: AbortSignal;
}

const LEVEL_OF: Readonly<Record<LevelName, Level>> = {
  none: { enforcement: 'none', monitoring: 'none' },
  enforce: { enforcement: 'enforce', monitoring: 'none' },
  audit: { enforcement: 'audit', monitoring: 'none' },
  syscalls: { enforcement: 'none', monitoring: 'syscalls' },
  strace: { enforcement: 'none', monitoring: 'trace' },
};

export class BenchRuns {
  constructor(private readonly machine: BenchMachine) {}

  /** @throws Error when the payload did not end with exit code 0: then nothing it did can be compared */
  async run(program: BenchProgram, level: LevelName, filters: Partial<Filters>): Promise<BenchRun> {
    const { enforcement } = LEVEL_OF[level];
    const filter = filters[enforcement];
    if (!filter) throw new Error(`there is no filter for ${level} yet`);
    const scratchDirectory = this.#emptyDirectory('scratch');
    const output = this.#emptyDirectory('scratch', 'output');
    const logs = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
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
        },
        cpuset: this.machine.cpuset,
        mounts: [...program.inputs, { source: output, target: OUTPUT_DIRECTORY, readOnly: false }],
        scratchDirectory,
        level: LEVEL_OF[level],
        filter,
      },
      this.#context(logs),
    );
    this.machine.stop.throwIfAborted();
    const stdout = Buffer.concat(logs.stdout).toString();
    const { outcome, usage } = report;
    if (outcome.kind !== 'exited' || outcome.exitCode !== 0 || !usage) {
      const stderr = Buffer.concat(logs.stderr).toString().trim();
      throw new Error(`${program.name} at ${level} ended as ${JSON.stringify(outcome)}: ${stderr}`);
    }
    return { report, usage, stdout };
  }

  /** What the last run wrote. */
  get outputDirectory(): string {
    return join(this.machine.directory, 'scratch', 'output');
  }

  #context(logs: Readonly<Record<'stdout' | 'stderr', Buffer[]>>): ExecutorContext {
    const { docker, recorder, initPath, runDirectory, stop } = this.machine;
    return { docker, recorder, initPath, runDirectory, stop, onLog: (stream, chunk) => void logs[stream].push(chunk) };
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
