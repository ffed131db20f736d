/** The malicious plug-ins of the example, and whether one was denied as it had to be. */
import { type Denial, type JobAnswer } from './answers.js';

export interface Attack {
  /** A file of examples/edf-normalize/plugins. */
  readonly file: string;
  readonly tries: string;
  /** Any of these shows that the attack was stopped; which one depends on the C library and the architecture. */
  readonly calls: readonly string[];
  /** Of class `dangerous`: it ends the job at once. Any other holds it, until what it asks for is rejected. */
  readonly isDangerous: boolean;
  /** Would go through in an ordinary hardened container: there the profile alone stands in its way. */
  readonly worksWithoutProfile: boolean;
}

export const ATTACKS: readonly Attack[] = [
  {
    file: 'steal_passwd.py',
    tries: 'reads /etc/passwd and sends it over a socket',
    calls: ['socket'],
    isDangerous: false,
    worksWithoutProfile: true,
  },
  {
    file: 'start_shell.py',
    tries: 'starts a shell that starts another program',
    calls: ['clone', 'clone3', 'fork', 'vfork', 'execve', 'execveat'],
    isDangerous: false,
    worksWithoutProfile: true,
  },
  {
    file: 'raw_socket.py',
    tries: 'opens a raw socket',
    calls: ['socket'],
    isDangerous: false,
    worksWithoutProfile: false,
  },
  {
    file: 'trace_parent.py',
    tries: 'traces the process that started it',
    calls: ['ptrace'],
    isDangerous: true,
    worksWithoutProfile: false,
  },
  {
    file: 'load_bpf.py',
    tries: 'loads a BPF program into the kernel',
    calls: ['bpf'],
    isDangerous: true,
    worksWithoutProfile: false,
  },
  {
    file: 'unshare.py',
    tries: 'makes namespaces in which it is root',
    calls: ['unshare'],
    isDangerous: true,
    worksWithoutProfile: false,
  },
];

/** The one JSON line that a malicious plug-in writes about itself to standard error. */
export function plugInLine(stderr: string): { line: string; result: string } | undefined {
  const line = stderr.split('\n').find((candidate) => candidate.startsWith('{"attack"'));
  if (line === undefined) return undefined;
  const { result } = JSON.parse(line) as { result?: unknown };
  return { line, result: String(result) };
}

export function denialsOf(job: JobAnswer): Denial[] {
  return job.runs.flatMap((run) => run.denials);
}

/** What was not as it had to be, once the job has ended; empty when the attack was denied. */
export function attackProblems(attack: Attack, job: JobAnswer, stderr: string): string[] {
  const problems: string[] = [];
  const { file, calls, isDangerous } = attack;
  if (job.runs.some((run) => run.enforcement !== 'enforce')) problems.push(`${file} did not run under enforcement`);
  const refused = denialsOf(job).filter(({ action }) => action !== 'continued');
  if (!refused.some(({ call }) => calls.includes(call))) {
    problems.push(`${file}: no denial of ${calls.join(' or ')} was reported`);
  }
  const said = plugInLine(stderr)?.result;
  // A dangerous call ends the payload before it can say anything.
  if (said !== 'denied' && !(isDangerous && said === undefined))
    problems.push(`${file} itself says ${said === undefined ? 'nothing' : `"${said}"`}, not "denied"`);
  if (job.errorCode !== 'denied') problems.push(`the job of ${file} ended ${job.state} ${job.errorCode ?? ''}`.trim());
  if (job.outputs.some(({ sha256 }) => sha256 !== null)) problems.push(`${file} published an output`);
  return problems;
}
