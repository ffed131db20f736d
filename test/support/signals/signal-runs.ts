/** Runs the signal programs: plainly on the engine, recorded, and at a level with what was learned from recordings of them. */
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type ExecutorRunReport, type Mount, Recorder } from '#lib/execution';
import {
  expandRules,
  type Level,
  mergeRecordings,
  type Profile,
  type RecordedRun,
  type Recording,
  recordingDigest,
  toVariables,
} from '#lib/profiles';
import { buildEdfImage } from '../../../scripts/images/build-image.js';
import { ExecutorRuns, type RequestChanges } from '../executor-runs.js';
import { type FaithfulLevel, PROFILE_KINDS, type ProfileKind } from './signal-levels.js';
import { IDLE, signalMount, type SignalProgram } from './signal-programs.js';

const RECORDER = join(process.cwd(), '.porin/native/porin-recorder');
const MIB = 1024 * 1024;
const PLACES = { inputs: [], outputs: [], temporary: ['/tmp', '/dev/shm'] };
const LIMITS = { cpuMilli: 2000, memoryBytes: 256 * MIB, pids: 256 };

/** What a user of the program sees. */
export interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly outcome: ExecutorRunReport['outcome'];
}

export interface SignalRun {
  readonly result: Result;
  readonly report: ExecutorRunReport;
}

export class SignalRuns {
  readonly #once = new Map<string, Promise<unknown>>();

  private constructor(
    readonly runs: ExecutorRuns,
    private readonly recorder: Recorder,
    private readonly debianId: string,
    private readonly mount: Mount,
  ) {}

  static async create(): Promise<SignalRuns> {
    const runs = await ExecutorRuns.create();
    const cacheDir = join(process.cwd(), '.porin/cache');
    // The example's image is a Debian with bash and Python.
    const debian = await buildEdfImage({ docker: runs.docker, cacheDir, log: () => undefined });
    const recorder = await Recorder.start({ binaryPath: RECORDER });
    return new SignalRuns(runs, recorder, debian.imageId, signalMount(join(runs.directory, 'signals')));
  }

  /** Nothing of ours around it: a container as the engine makes it. */
  unrestricted(program: SignalProgram): Promise<Result> {
    return this.#onceFor(`unrestricted ${program.name}`, () => this.#runPlainly(program));
  }

  async at({ level, profile }: FaithfulLevel, program: SignalProgram): Promise<SignalRun> {
    if (profile) {
      const of = profile.learnedFrom === 'itself' ? program : IDLE;
      return this.run(program, level, restrictions(level, await this.learned(of, profile.kind)));
    }
    return isKind(level.monitoring) ? this.recorded(program, level.monitoring) : this.run(program, level);
  }

  async run(program: SignalProgram, level: Level, changes: RequestChanges = {}): Promise<SignalRun> {
    const request = this.runs.request(program.command, {
      ...(program.image === 'debian' && { imageId: this.debianId }),
      level,
      limits: LIMITS,
      mounts: [this.mount],
      ...changes,
    });
    const { report, stdout, stderr } = await this.runs.run(request, { recorder: this.recorder });
    return { result: { stdout, stderr, outcome: report.outcome }, report };
  }

  /** Each is made once: it is a row of its own, and what profiles are learned from. */
  recorded(program: SignalProgram, monitoring: ProfileKind): Promise<SignalRun> {
    return this.#onceFor(`${monitoring} ${program.name}`, () => this.run(program, { enforcement: 'none', monitoring }));
  }

  /** From a recording of every kind, so that it has every call, also one that a single run did not happen to make. */
  async learned(program: SignalProgram, kind: ProfileKind): Promise<Profile> {
    const runs = await Promise.all(PROFILE_KINDS.map((monitoring) => this.recorded(program, monitoring)));
    const recorded = runs.map(({ report: { recording, outcome } }): RecordedRun => {
      if (!recording || outcome.kind !== 'exited') throw new Error(`no recording: ${JSON.stringify(outcome)}`);
      const kept = withoutMoreThan(kind, toVariables(recording, PLACES));
      return { digest: recordingDigest(kept), inputsDigest: 'none', exitCode: outcome.exitCode, recording: kept };
    });
    const result = mergeRecordings(recorded, { needed: 1, distinctInputs: 1 });
    if (result.kind === 'profile' && result.merged.length === runs.length) return result.profile;
    const problems = runs.map(({ result, report }) => ({
      ...result,
      partialReasons: report.recording?.partialReasons,
    }));
    throw new Error(`not every recording teaches: ${JSON.stringify(problems)}`);
  }

  async close(): Promise<void> {
    await this.recorder.close();
    await this.runs.close();
  }

  async #runPlainly({ image, command }: SignalProgram): Promise<Result> {
    const container = await this.runs.docker.createContainer({
      Image: image === 'debian' ? this.debianId : this.runs.imageId,
      Cmd: [...command],
      Labels: { 'porin.test': this.runs.directory },
      HostConfig: { NetworkMode: 'none', Binds: [`${this.mount.source}:${this.mount.target}:ro`] },
    });
    try {
      const stream = await container.attach({ stream: true, stdout: true, stderr: true });
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      container.modem.demuxStream(stream, stdout, stderr);
      stream.on('end', () => (stdout.end(), stderr.end()));
      await container.start();
      const output = await Promise.all([text(stdout), text(stderr)]);
      const { StatusCode } = (await container.wait()) as { StatusCode: number };
      return { stdout: output[0], stderr: output[1], outcome: { kind: 'exited', exitCode: StatusCode } };
    } finally {
      await container.remove({ force: true });
    }
  }

  #onceFor<T>(key: string, run: () => Promise<T>): Promise<T> {
    const known = this.#once.get(key) ?? run();
    this.#once.set(key, known);
    return known as Promise<T>;
  }
}

/** As the worker has it; without the profile's limit of processes, which is not what is looked at. */
function restrictions({ enforcement }: Level, { rules, files }: Profile): RequestChanges {
  return { rules, ...(enforcement === 'enforce' && files && { landlock: expandRules(files, PLACES) }) };
}

function isKind(monitoring: Level['monitoring']): monitoring is ProfileKind {
  return PROFILE_KINDS.some((kind) => kind === monitoring);
}

/** As a recording of that kind is. */
function withoutMoreThan(
  kind: ProfileKind,
  { arguments: uses, peakTasks, files, sockets, ...names }: Recording,
): Recording {
  if (kind === 'syscalls') return names;
  const held = { ...names, ...(uses && { arguments: uses }), ...(peakTasks !== undefined && { peakTasks }) };
  return kind === 'arguments' ? held : { ...held, ...(files && { files }), ...(sockets && { sockets }) };
}
