/** The malicious plug-ins of the example, and whether one was denied as it had to be. */
import { type Denial, type JobAnswer } from './answers.js';

export interface Attack {
  /** A file of examples/edf-normalize/plugins. */
  readonly file: string;
  readonly tries: string;
  /** Any of these shows that the attack was stopped; which one depends on the C library and the architecture. */
  readonly calls: readonly string[];
  /** Would go through in an ordinary hardened container: there the profile alone stands in its way. */
  readonly worksWithoutProfile: boolean;
}

export const ATTACKS: readonly Attack[] = [
  {
    file: 'steal_passwd.py',
    tries: 'reads /etc/passwd and sends it over a socket',
    calls: ['socket'],
    worksWithoutProfile: true,
  },
  {
    file: 'start_shell.py',
    tries: 'starts a shell that starts another program',
    calls: ['clone', 'clone3', 'fork', 'vfork', 'execve', 'execveat'],
    worksWithoutProfile: true,
  },
  { file: 'raw_socket.py', tries: 'opens a raw socket', calls: ['socket'], worksWithoutProfile: false },
  {
    file: 'trace_parent.py',
    tries: 'traces the process that started it',
    calls: ['ptrace'],
    worksWithoutProfile: false,
  },
  { file: 'load_bpf.py', tries: 'loads a BPF program into the kernel', calls: ['bpf'], worksWithoutProfile: false },
  { file: 'unshare.py', tries: 'makes namespaces in which it is root', calls: ['unshare'], worksWithoutProfile: false },
];
export const BENIGN_PLUGIN = 'clip_saturation.py';

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

/** What was not as it had to be; empty when the attack was denied. `expectedSha256`: of the output without any plug-in. */
export function attackProblems(
  attack: Attack,
  job: JobAnswer,
  stderr: string,
  expectedSha256: string | null,
): string[] {
  const problems: string[] = [];
  const { file, calls } = attack;
  if (job.runs.some((run) => run.enforcement !== 'enforce')) problems.push(`${file} did not run under enforcement`);
  const refused = denialsOf(job).filter(({ action }) => action !== 'continued');
  if (!refused.some(({ call }) => calls.includes(call))) {
    problems.push(`${file}: no denial of ${calls.join(' or ')} was reported`);
  }
  const said = plugInLine(stderr)?.result;
  if (said !== 'denied')
    problems.push(`${file} itself says ${said === undefined ? 'nothing' : `"${said}"`}, not "denied"`);
  if (job.outputs[0]?.sha256 !== expectedSha256) problems.push(`${file} changed the output`);
  return problems;
}
