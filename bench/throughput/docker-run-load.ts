/** The containers of the throughput bench by plain `docker run`, hardened as Porin's are. */
import { spawn } from 'node:child_process';
import { type Part } from './throughput-report.js';
import { inParallel } from '../measure/in-parallel.js';

const USER = '231000:231000';

export interface Load {
  readonly image: string;
  readonly command: readonly [string, ...string[]];
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly pids: number;
}

export class DockerRunLoad {
  constructor(
    private readonly dockerHost: string,
    private readonly load: Load,
    private readonly stop: AbortSignal,
  ) {}

  async run(jobs: number, atOnce: number): Promise<Part> {
    const startedAt = performance.now();
    await inParallel(jobs, atOnce, () => this.#runOne());
    return { jobs, ms: performance.now() - startedAt };
  }

  async #runOne(): Promise<void> {
    this.stop.throwIfAborted();
    const child = spawn('docker', ['--host', this.dockerHost, ...dockerRunArguments(this.load)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
    if (code !== 0) throw new Error(`docker run failed (${code}): ${stderr.trim()}`);
  }
}

export function dockerRunArguments(load: Load): readonly string[] {
  return [
    ...['run', '--rm', '--network', 'none', '--ipc', 'private', '--read-only', '--user', USER],
    ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
    ...['--memory', String(load.memoryBytes), '--memory-swap', String(load.memoryBytes)],
    ...['--cpus', String(load.cpuMilli / 1000), '--pids-limit', String(load.pids)],
    ...['--tmpfs', `/tmp:rw,nosuid,nodev,noexec,size=${load.diskBytes},mode=1777`],
    ...['--log-driver', 'none', '--no-healthcheck', '--cgroup-parent', 'porin.slice'],
    ...[load.image, ...load.command],
  ];
}
