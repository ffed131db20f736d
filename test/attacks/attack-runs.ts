/** Runs the attacking program through runExecutor: learns its honest work with the recorder, and enforces what was learned. */
import { chmodSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Denial, type ExecutorRunReport, type Mount, Recorder } from '#lib/execution';
import { expandRules, type Level, mergeRecordings, type Profile, type RecordedRun, toVariables } from '#lib/profiles';
import { ExecutorRuns, type RequestChanges } from '../support/executor-runs.js';
import { buildAttackImage } from './attack-image.js';

const RECORDER = join(process.cwd(), '.porin/native/porin-recorder');
export const PROGRAM = '/attack';
const MIB = 1024 * 1024;
const PLACES = { inputs: ['/in'], outputs: ['/out'], temporary: ['/tmp', '/dev/shm'] };

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
  /** Called once the payload has started; its failure is the run's. */
  readonly during?: (runId: string) => Promise<void>;
  /** Called after the end, with the host directory of what was left in /out. */
  readonly afterwards?: (directory: string) => Promise<void>;
}

export class AttackRuns {
  private constructor(
    readonly runs: ExecutorRuns,
    private readonly imageId: string,
    private readonly recorder: Recorder,
    /** Two of them, /in/data in each. */
    readonly inputs: readonly [Mount, Mount],
  ) {}

  static async create(): Promise<AttackRuns> {
    const runs = await ExecutorRuns.create();
    const { imageId } = await buildAttackImage(runs.docker);
    const recorder = await Recorder.start({ binaryPath: RECORDER });
    const inputs = [MIB, 3 * MIB].map((bytes): Mount => {
      const source = mkdtempSync(join(runs.directory, 'inputs-'));
      chmodSync(source, 0o755);
      writeFileSync(join(source, 'data'), Buffer.alloc(bytes, 'an honest input, '));
      return { source, target: '/in', readOnly: true };
    });
    return new AttackRuns(runs, imageId, recorder, inputs as [Mount, Mount]);
  }

  /** The profile that Porin proposes for a program: merged from complete recordings of its runs on different inputs. */
  async learn(
    command: readonly string[],
    each: readonly AttackOptions[],
    monitoring: 'syscalls' | 'files' = 'syscalls',
  ): Promise<Profile> {
    const level: Level = { enforcement: 'none', monitoring };
    const recorded: RecordedRun[] = [];
    for (const options of each) {
      const { report, stderr } = await this.run(command, { level, ...options });
      const { outcome, recording } = report;
      if (outcome.kind !== 'exited' || !recording) throw new Error(`${JSON.stringify(outcome)}: ${stderr}`);
      const digest = `recording ${recorded.length}`;
      recorded.push({
        digest,
        inputsDigest: digest,
        exitCode: outcome.exitCode,
        recording: toVariables(recording, PLACES),
      });
    }
    const result = mergeRecordings(recorded, { needed: each.length, distinctInputs: each.length });
    if (result.kind !== 'profile') throw new Error(`Nothing was learned: ${JSON.stringify(result)}`);
    return result.profile;
  }

  enforce(profile: Profile, command: readonly string[], options: AttackOptions = {}): Promise<AttackRun> {
    const level: Level = { enforcement: 'enforce', monitoring: 'none' };
    const { rules, files, pids } = profile;
    const landlock = files && expandRules(files, PLACES);
    const limits = { ...(pids !== undefined && { pids }), ...options.limits };
    return this.run(command, { level, rules, ...(landlock && { landlock }), ...options, limits });
  }

  /** With the first input at /in and a disk of the attempt's own at /out. */
  async run(command: readonly string[], { during, afterwards, ...changes }: AttackOptions): Promise<AttackRun> {
    let run: AttackRun | undefined;
    const request = { imageId: this.imageId, ...changes, mounts: changes.mounts ?? [this.inputs[0]] };
    await this.runs.withDisk(command, request, async (onDisk, scratch) => {
      let meanwhile: Promise<void> | undefined;
      const onStarted = () => void (meanwhile = during?.(onDisk.runId));
      const { report, stdout, stderr } = await this.runs.run(onDisk, { recorder: this.recorder, onStarted });
      await meanwhile;
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
