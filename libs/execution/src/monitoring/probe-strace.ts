/** Whether this node can trace: the right to trace other users' processes, and strace attached once to one of ours. */
import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Strace } from './strace.js';
import { TraceArtifact } from './trace-artifact.js';

export type StraceProbe = { readonly straceVersion: string } | { readonly straceProblem: string };

/** linux/capability.h. */
const CAP_SYS_PTRACE = 19n;
const VERSION_TIMEOUT_MS = 30_000;

export async function probeStrace(stracePath = 'strace'): Promise<StraceProbe> {
  try {
    const { stdout } = await promisify(execFile)(stracePath, ['--version'], {
      timeout: VERSION_TIMEOUT_MS,
      env: { PATH: process.env.PATH },
    });
    await requireCapability();
    await attachOnce(stracePath);
    return { straceVersion: /^strace -- version (\S+)/.exec(stdout)?.[1] ?? 'unknown' };
  } catch (error) {
    return { straceProblem: (error as Error).message.trim() };
  }
}

/** Payloads have users of their own, and porin-init is not dumpable: either takes the capability. */
async function requireCapability(): Promise<void> {
  const status = await readFile('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  if (((effective >> CAP_SYS_PTRACE) & 1n) === 0n) throw new Error('the worker has no CAP_SYS_PTRACE');
}

/** Rejects where it cannot: a security module or a seccomp profile may be in the way. */
async function attachOnce(stracePath: string): Promise<void> {
  const artifact = new TraceArtifact(Infinity, () => Promise.resolve());
  // Ends with its input.
  const child = spawn('cat', [], { stdio: ['pipe', 'ignore', 'ignore'], env: { PATH: process.env.PATH } });
  const started = new Promise<number>((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid ?? 0));
    child.once('error', (cause) => reject(new Error(`no process could be started: ${cause.message}`, { cause })));
  });
  try {
    const strace = await Strace.attach({ pid: await started, artifact, stracePath });
    await strace.drop();
  } finally {
    artifact.drop();
    child.stdin.end();
  }
}
