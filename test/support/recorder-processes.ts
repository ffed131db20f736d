/** Recorded processes in cgroups of their own, without containers, where a test needs many of them or its own host's kernel only. */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Writable } from 'node:stream';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const PROGRAM = 'recorder-payload';

/** A process at its gate, alone in its cgroup. */
export class GatedProcess {
  readonly #exit: Promise<unknown[]>;

  constructor(
    private readonly child: ChildProcessByStdio<Writable, null, null>,
    private readonly cgroup: string,
  ) {
    this.#exit = once(child, 'exit');
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Answers the exit code, once the cgroup is gone. */
  async openGateAndWait(): Promise<number> {
    this.child.stdin.end();
    const [code] = (await this.#exit) as [number | null];
    await rmdir(this.cgroup);
    return code ?? -1;
  }

  /** Ends it, and what is behind the gate, where a test that failed has left it. */
  async remove(): Promise<void> {
    if (!existsSync(this.cgroup)) return;
    await writeFile(join(this.cgroup, 'cgroup.kill'), '1');
    await this.#exit;
    await rmdir(this.cgroup);
  }
}

export class RecorderProcesses {
  readonly #started: GatedProcess[] = [];

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
    const cgroup = join(this.cgroup, String(this.#started.length));
    const child = spawn(join(this.directory, PROGRAM), ['gate-of-input', join(this.directory, program), ...command], {
      stdio: ['pipe', 'ignore', 'inherit'],
      env: {},
    });
    const gated = new GatedProcess(child, cgroup);
    this.#started.push(gated);
    await mkdir(cgroup);
    await writeFile(join(cgroup, 'cgroup.procs'), String(child.pid));
    return gated;
  }

  async close(): Promise<void> {
    for (const gated of this.#started) await gated.remove();
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
