/** Runs the attacking program through runExecutor: learns its honest work with the recorder, and enforces what was learned. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Denial, type ExecutorRunReport, type Mount, Recorder } from '#lib/execution';
import { allowedNames, type Level, mergeRecordings, type Profile, type RecordedRun } from '#lib/profiles';
import { ExecutorRuns, type RequestChanges } from '../support/executor-runs.js';
import { buildAttackImage } from './attack-image.js';

const RECORDER = join(process.cwd(), '.porin/native/porin-recorder');
export const PROGRAM = '/attack';
/** A megabyte: the program's two threads have something to do. */
const DATA = Buffer.alloc(1024 * 1024, 'an honest input, ');

export interface AttackRun {
  readonly report: ExecutorRunReport;
  /** Step -> word. */
  readonly says: Readonly<Record<string, string>>;
  readonly denials: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
  /** Names in /out after the end. */
  readonly outputs: readonly string[];
}

export interface AttackOptions extends RequestChanges {
  /** Called after the end, with the host directory of what was left in /out. */
  readonly afterwards?: (directory: string) => Promise<void>;
}

export class AttackRuns {
  private constructor(
    readonly runs: ExecutorRuns,
    private readonly imageId: string,
    private readonly recorder: Recorder,
    private readonly inputs: Mount,
  ) {}

  static async create(): Promise<AttackRuns> {
    const runs = await ExecutorRuns.create();
    const { imageId } = await buildAttackImage(runs.docker);
    const recorder = await Recorder.start({ binaryPath: RECORDER });
    const source = join(runs.directory, 'inputs');
    mkdirSync(source);
    writeFileSync(join(source, 'data'), DATA);
    return new AttackRuns(runs, imageId, recorder, { source, target: '/in', readOnly: true });
  }

  /** The profile that Porin proposes for a program: merged from two complete recordings. */
  async learn(command: readonly string[], options: AttackOptions = {}): Promise<Profile> {
    const level: Level = { enforcement: 'none', monitoring: 'syscalls' };
    const recorded: RecordedRun[] = [];
    for (const digest of ['first', 'second']) {
      const { report } = await this.run(command, { level, ...options });
      const { outcome, recording } = report;
      if (outcome.kind !== 'exited' || !recording) throw new Error(`The program ended: ${JSON.stringify(outcome)}`);
      recorded.push({ digest, inputsDigest: digest, exitCode: outcome.exitCode, recording });
    }
    const result = mergeRecordings(recorded, { needed: 2, distinctInputs: 2 });
    if (result.kind !== 'profile') throw new Error(`Nothing was learned: ${JSON.stringify(result)}`);
    return result.profile;
  }

  enforce(profile: Profile, command: readonly string[], options: AttackOptions = {}): Promise<AttackRun> {
    const level: Level = { enforcement: 'enforce', monitoring: 'none' };
    return this.run(command, { level, allowed: allowedNames(profile), ...options });
  }

  /** With the input at /in and a disk of the attempt's own at /out. */
  async run(command: readonly string[], { afterwards, ...changes }: AttackOptions): Promise<AttackRun> {
    let run: AttackRun | undefined;
    const request = { imageId: this.imageId, ...changes, mounts: [this.inputs, ...(changes.mounts ?? [])] };
    await this.runs.withDisk(command, request, async (onDisk, scratch) => {
      const { report, stdout, stderr } = await this.runs.run(onDisk, { recorder: this.recorder });
      const denials = report.denials.map((denial) => renderDenial(denial).replaceAll(onDisk.runId, '<run>')).sort();
      run = { report, says: stepsOf(stdout), denials, stdout, stderr, outputs: readdirSync(scratch.path).sort() };
      await afterwards?.(scratch.path);
    });
    return run!;
  }

  async close(): Promise<void> {
    await this.recorder.close();
    await this.runs.docker.getImage(this.imageId).remove({ force: true });
    await this.runs.close();
  }
}

/** "2 x socket(AF_INET, SOCK_STREAM, 0) EPERM". */
export function renderDenial({ count, description, action, errno }: Denial): string {
  return `${count} x ${description} ${errno ?? action}`;
}

function stepsOf(stdout: string): Record<string, string> {
  const lines = stdout.split('\n').filter((line) => line !== '');
  return Object.fromEntries(lines.map((line) => line.split(' ', 2) as [string, string]));
}
