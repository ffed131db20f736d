/** Recorded processes in cgroups of their own, without containers, where a test needs many of them or its own host's kernel only. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const PROGRAM = 'recorder-payload';

export interface GatedProcess {
  readonly pid: number;
  /** Opens the gate, and answers the exit code once the process has ended and its cgroup is gone. */
  openGateAndWait(): Promise<number>;
}

export class RecorderProcesses {
  #count = 0;

  private constructor(
    private readonly directory: string,
    private readonly cgroup: string,
  ) {}

  /** @param programs beside the gate: names of this directory's C sources. */
  static async create(...programs: readonly string[]): Promise<RecorderProcesses> {
    const directory = await mkdtemp(join(tmpdir(), 'porin-processes-'));
    const cgroup = join(await cgroup2Mount(), `porin-recorder-${process.pid}`);
    await Promise.all([mkdir(cgroup), ...[PROGRAM, ...programs].map((name) => compile(name, directory))]);
    return new RecorderProcesses(directory, cgroup);
  }

  /** Starts a process that waits at its gate, alone in its cgroup, with the program's `command` behind it. */
  async start(command: readonly string[], program = PROGRAM): Promise<GatedProcess> {
    const cgroup = join(this.cgroup, String(this.#count++));
    const child = spawn(join(this.directory, PROGRAM), ['gate-of-input', join(this.directory, program), ...command], {
      stdio: ['pipe', 'ignore', 'inherit'],
      env: {},
    });
    const exit = once(child, 'exit');
    await mkdir(cgroup);
    await writeFile(join(cgroup, 'cgroup.procs'), String(child.pid));
    return {
      pid: child.pid!,
      openGateAndWait: async () => {
        child.stdin.end();
        const [code] = (await exit) as [number | null];
        await rmdir(cgroup);
        return code ?? -1;
      },
    };
  }

  async close(): Promise<void> {
    await rmdir(this.cgroup);
    await rm(this.directory, { recursive: true });
  }
}

/** Compiles a static program from `<name>.c` beside this file. */
export async function compile(name: string, directory: string): Promise<void> {
  const source = join(import.meta.dirname, `${name}.c`);
  const warnings = ['-Wall', '-Wextra', '-Werror'];
  await run('cc', ['-O2', ...warnings, '-static', '-pthread', source, '-o', join(directory, name)]);
}

/** The directory of a process' cgroup v2. */
export async function cgroupDirectory(pid: number): Promise<string> {
  const path = /^0::(.+)$/m.exec(await readFile(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
  if (path === undefined) throw new Error('there is no cgroup v2');
  return join(await cgroup2Mount(), path);
}

async function cgroup2Mount(): Promise<string> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  const point = mounts.find((line) => line.includes(' - cgroup2 '))?.split(' ')[4];
  if (point === undefined) throw new Error('there is no cgroup v2');
  return point;
}
