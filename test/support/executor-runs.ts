/** Runs payloads through runExecutor as the worker does, on the busybox image and on one with the sandbox tests' payload. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type Denial,
  DenialList,
  type Engine,
  type ExecutorRunReport,
  type ExecutorRunRequest,
  type Mount,
  type Recorder,
  runExecutor,
  Scratch,
  type StopReason,
} from '#lib/execution';
import {
  compileFilter,
  DEFAULT_CEILING,
  engineDefaultNames,
  type Level,
  nodeArchitecture,
  plainRules,
  type Rule,
} from '#lib/profiles';
import Docker from 'dockerode';
import { buildTestImage } from '../../scripts/images/build-image.js';
import { importRoot } from '../../scripts/images/engine.js';
import { required } from './environment.js';
import { testEngine } from './image-source.js';
import { nativeInit, testPayload } from './native.js';

const MIB = 1024 * 1024;
const CACHE = join(process.cwd(), '.porin/cache');
const ARCHITECTURE = nodeArchitecture(process.arch);
/** Of the test payload in every container. */
export const PAYLOAD = '/payload';

export interface TestRun {
  readonly report: ExecutorRunReport;
  readonly stdout: string;
  readonly stderr: string;
  /** As they came while the payload ran. */
  readonly live: readonly Denial[];
  /** The bytes of the gzip file; empty where nothing was traced. */
  readonly trace: Buffer;
}

export type RequestChanges = Partial<Omit<ExecutorRunRequest, 'limits'>> & {
  readonly limits?: Partial<ExecutorRunRequest['limits']>;
  /** Calls that the profile allows, for the levels audit and enforce; or its rules. */
  readonly allowed?: readonly string[];
  readonly rules?: readonly Rule[];
};

export interface RunOptions {
  readonly initPath?: string;
  readonly recorder?: Recorder;
  readonly stop?: AbortSignal;
  /** Called once the payload has started; the run's end does not wait for it. */
  readonly onStarted?: () => void;
  /** Called with all of stdout that has come so far. */
  readonly onOutput?: (text: string) => void;
  /** In place of keeping the trace. */
  readonly onTrace?: (part: Buffer) => Promise<void>;
}

export class ExecutorRuns {
  #uid = 210_000;
  readonly #images: string[] = [];

  private constructor(
    readonly docker: Docker,
    private readonly engine: Engine,
    readonly imageId: string,
    readonly directory: string,
  ) {}

  static async create(): Promise<ExecutorRuns> {
    required('DOCKER_HOST');
    const docker = new Docker();
    const image = await buildTestImage({ docker, cacheDir: CACHE, log: () => undefined });
    const directory = mkdtempSync(join(tmpdir(), 'porin-runs-'));
    copyFileSync(testPayload(), join(directory, 'payload'));
    chmodSync(join(directory, 'payload'), 0o755);
    mkdirSync(join(directory, 'plain'));
    return new ExecutorRuns(docker, testEngine(), image.imageId, directory);
  }

  /** Each has a user of its own, as concurrent attempts have. */
  request(command: readonly string[], { allowed, rules, limits, ...changes }: RequestChanges = {}): ExecutorRunRequest {
    const level: Level = changes.level ?? { enforcement: 'none', monitoring: 'none' };
    const uid = this.#uid++;
    return {
      runId: randomUUID(),
      labels: { 'porin.test': this.directory },
      imageId: this.imageId,
      imageVolumes: [],
      command,
      environment: {},
      uid,
      gid: uid,
      limits: {
        cpuMilli: 1000,
        memoryBytes: 128 * MIB,
        diskBytes: 32 * MIB,
        pids: 64,
        wallTimeMs: 60_000,
        logBytes: MIB,
        ...limits,
      },
      scratchDirectory: join(this.directory, 'plain'),
      level,
      filter: compileFilter({
        enforcement: level.enforcement,
        architecture: ARCHITECTURE,
        rules: level.enforcement === 'none' ? null : (rules ?? plainRules(allowed ?? [])),
        ceiling: DEFAULT_CEILING,
        engineDefault: engineDefaultNames(ARCHITECTURE),
        notifyAll: level.monitoring === 'trace-notify',
      }),
      ...changes,
      mounts: [{ source: join(this.directory, 'payload'), target: PAYLOAD, readOnly: true }, ...(changes.mounts ?? [])],
    };
  }

  /** A request whose /out is a bounded disk. */
  async withDisk(
    command: readonly string[],
    changes: RequestChanges,
    use: (request: ExecutorRunRequest, scratch: Scratch) => Promise<void>,
  ): Promise<void> {
    const request = this.request(command, changes);
    const { uid, gid, limits } = request;
    const directory = join(this.directory, request.runId);
    const scratch = await Scratch.create({ directory, bytes: limits.diskBytes, uid, gid });
    try {
      const mounts = [...request.mounts, { source: scratch.path, target: '/out', readOnly: false }];
      await use({ ...request, mounts, scratchDirectory: scratch.path }, scratch);
    } finally {
      await scratch.remove();
    }
  }

  async run(request: ExecutorRunRequest, options: RunOptions = {}): Promise<TestRun> {
    const output = { stdout: '', stderr: '' };
    const live: Denial[] = [];
    const denials = new DenialList((position) => {
      if (position === live.length) live.push(denials.at(position)!);
    });
    const trace: Buffer[] = [];
    const report = await runExecutor(request, {
      engine: this.engine,
      initPath: options.initPath ?? nativeInit(),
      runDirectory: join(this.directory, 'run'),
      recorder: options.recorder,
      stop: options.stop ?? new AbortController().signal,
      onLog: (stream, chunk) => {
        output[stream] += chunk.toString();
        options.onOutput?.(output.stdout);
      },
      onStarted: () => options.onStarted?.(),
      denials,
      onTrace: options.onTrace ?? ((part) => Promise.resolve(void trace.push(part))),
    });
    return { report, ...output, live, trace: Buffer.concat(trace) };
  }

  /** The busybox image with more Dockerfile instructions in its configuration, and symbolic links in its root. */
  async imageWith(changes: readonly string[], links: Readonly<Record<string, string>> = {}): Promise<string> {
    const reference = `porin-test/changed-${randomUUID()}:1`;
    const tar = join(this.directory, `${randomUUID()}.tar`);
    copyFileSync(join(CACHE, 'test-image.tar'), tar);
    for (const [path, target] of Object.entries(links)) {
      const root = mkdtempSync(join(this.directory, 'root-'));
      mkdirSync(join(root, dirname(path)), { recursive: true });
      symlinkSync(target, join(root, path));
      execFileSync('tar', ['--append', '--file', tar, '--directory', root, ...readdirSync(root)]);
    }
    const { imageId } = await importRoot(this.docker, { tar, reference, inputs: reference, changes });
    this.#images.push(imageId);
    return imageId;
  }

  /** What a shell can wait for until the test opens it. */
  gate(): { readonly mount: Mount; readonly wait: string; open(): void } {
    const source = join(this.directory, randomUUID());
    mkdirSync(source);
    return {
      mount: { source, target: '/gate', readOnly: true },
      wait: 'while [ ! -e /gate/open ]; do sleep 0.1; done',
      open: () => writeFileSync(join(source, 'open'), ''),
    };
  }

  /** While it runs: the engine's word on the container, and the environment of porin-init. */
  async inspect(runId: string): Promise<{ info: Docker.ContainerInspectInfo; environment: string[] }> {
    const info = await this.docker.getContainer(`porin-${runId}`).inspect();
    const environment = readFileSync(`/proc/${info.State.Pid}/environ`, 'utf8').split('\0').filter(Boolean);
    return { info, environment };
  }

  async kill(runId: string): Promise<void> {
    await this.docker.getContainer(`porin-${runId}`).kill();
  }

  async volumeNames(): Promise<string[]> {
    return (await this.docker.listVolumes()).Volumes.map(({ Name }) => Name).sort();
  }

  /** Names of our containers that are still there, in any state. */
  async leftContainers(): Promise<string[]> {
    const filters = { label: [`porin.test=${this.directory}`] };
    const containers = await this.docker.listContainers({ all: true, filters });
    return containers.flatMap(({ Names }) => Names);
  }

  async close(): Promise<void> {
    for (const imageId of this.#images) await this.docker.getImage(imageId).remove({ force: true });
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function stopWith(reason: StopReason): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort(reason) };
}
