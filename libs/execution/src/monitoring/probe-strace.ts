/** Whether this node can trace: strace attached once to a process of a user that is not the worker's, as payloads are. */
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { Strace } from './strace.js';
import { TraceArtifact } from './trace-artifact.js';

export type StraceProbe = { readonly straceVersion: string } | { readonly straceProblem: string };

/** `nobody` of Debian and of most others; that it has no other processes is of no matter. */
const OTHER_USER = 65_534;
const VERSION_TIMEOUT_MS = 30_000;

export async function probeStrace(stracePath = 'strace'): Promise<StraceProbe> {
  try {
    const { stdout } = await promisify(execFile)(stracePath, ['--version'], {
      timeout: VERSION_TIMEOUT_MS,
      env: { PATH: process.env.PATH },
    });
    await attachOnce(stracePath);
    return { straceVersion: /^strace -- version (\S+)/.exec(stdout)?.[1] ?? 'unknown' };
  } catch (error) {
    return { straceProblem: (error as Error).message.trim() };
  }
}

/** Rejects where it cannot. */
async function attachOnce(stracePath: string): Promise<void> {
  const artifact = new TraceArtifact(Infinity, () => Promise.resolve());
  // Ends with its input.
  const child = spawn('cat', [], { stdio: ['pipe', 'ignore', 'ignore'], uid: OTHER_USER, gid: OTHER_USER, env: {} });
  const started = new Promise<number>((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid ?? 0));
    child.once('error', (cause) =>
      reject(new Error(`no process to trace could be started: ${cause.message}`, { cause })),
    );
  });
  try {
    const strace = await Strace.attach({ pid: await started, artifact, stracePath });
    await strace.drop();
  } finally {
    artifact.drop();
    child.stdin.end();
  }
}
