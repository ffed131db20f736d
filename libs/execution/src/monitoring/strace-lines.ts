/** Keeps of strace's lines those of the payload, from its execve on, with times since then. */

/** `<pid> <seconds>.<microseconds> <rest>`: of -f, -o and -ttt together. */
const LINE = /^(\d+) +(\d+)\.(\d{6}) (.*)$/;
const MICROSECONDS = 1_000_000;

export class StraceLines {
  #payload: string | undefined;
  /** An execve that another task's call stands between. */
  #begun: readonly [line: string, microseconds: number] | undefined;
  #startedAt: number | undefined;

  /** `initPid`: of porin-init, whose own calls are no part of the trace. */
  constructor(private readonly initPid: number) {}

  /** The lines `<seconds since the payload's execve> <thread id> <what strace says>` that this one adds. */
  take(line: string): readonly string[] {
    const [, pid = '', seconds, fraction, rest = ''] = LINE.exec(line) ?? [];
    if (pid === '' || Number(pid) === this.initPid) return [];
    const at = Number(seconds) * MICROSECONDS + Number(fraction);
    if (this.#startedAt !== undefined) return [render(at - this.#startedAt, pid, rest)];
    // Before it executes, porin-init's child is alone.
    this.#payload ??= pid;
    if (pid !== this.#payload) return [];
    if (/^execve\(.*<unfinished \.\.\.>$/.test(rest)) {
      this.#begun = [rest, at];
      return [];
    }
    const begun = rest.startsWith('<... execve resumed>') ? this.#begun : undefined;
    if (!/^(execve\(|<\.\.\. execve resumed>).* = 0( <[\d.]+>)?$/.test(rest)) return [];
    this.#startedAt = begun?.[1] ?? at;
    return [...(begun ? [render(0, pid, begun[0])] : []), render(at - this.#startedAt, pid, rest)];
  }
}

function render(microseconds: number, pid: string, rest: string): string {
  return `${(microseconds / MICROSECONDS).toFixed(6)} ${pid} ${rest}`;
}
