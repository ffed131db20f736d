/** What observes a run beside Porin, attached at the gate by the bench: other people's tools, to compare with. */
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupPath } from './cgroup-path.js';
import { type BenchLevel } from './levels.js';
import { Tool } from './tool.js';

export interface ObserverBeside {
  /** Resolves when it observes porin-init, and so all that this one starts. @throws Error where it cannot */
  attach(pid: number): Promise<void>;
  /** After the container's end. @throws Error when it observed nothing */
  end(): Promise<void>;
  /** At any time. */
  kill(): void;
}

/** Of every cgroup, as it is used to see what containers do; probes are attached in this order. */
const BPFTRACE_PROGRAM = `
  tracepoint:raw_syscalls:sys_enter { @[cgroup, args->id] = count(); }
  interval:ms:100 { printf("attached\\n"); }`;

/** `directory` is in memory. */
export function observerBeside(tool: BenchLevel['beside'], directory: string): ObserverBeside | undefined {
  if (tool === 'strace') return new StraceBeside(join(directory, 'strace.txt'));
  return tool === 'bpftrace' ? new BpftraceBeside() : undefined;
}

class StraceBeside implements ObserverBeside {
  #tool: Tool | undefined;

  constructor(private readonly outputPath: string) {}

  async attach(pid: number): Promise<void> {
    this.#tool = new Tool('strace', ['-f', '-o', this.outputPath, '-p', String(pid)]);
    await this.#tool.says(`Process ${pid} attached`);
  }

  async end(): Promise<void> {
    // It ends with the last process that it traces.
    await this.#tool?.ended();
    if (statSync(this.outputPath).size === 0) throw new Error('strace traced nothing');
  }

  kill(): void {
    this.#tool?.kill('SIGKILL');
    rmSync(this.outputPath, { force: true });
  }
}

class BpftraceBeside implements ObserverBeside {
  #tool: Tool | undefined;
  #cgroupId = 0;

  async attach(pid: number): Promise<void> {
    const path = cgroupPath(readFileSync('/proc/self/mountinfo', 'utf8'), readFileSync(`/proc/${pid}/cgroup`, 'utf8'));
    this.#cgroupId = statSync(path).ino;
    // By lines, or nothing would come before the end.
    this.#tool = new Tool('bpftrace', ['-B', 'line', '-e', BPFTRACE_PROGRAM]);
    await this.#tool.says('attached\n');
  }

  async end(): Promise<void> {
    this.#tool?.kill('SIGINT');
    await this.#tool?.ended();
    if (!this.#tool?.output.includes(`@[${this.#cgroupId}, `)) throw new Error('bpftrace counted nothing');
  }

  kill(): void {
    this.#tool?.kill('SIGKILL');
  }
}
