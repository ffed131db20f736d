/** What this node is and can do, asked of its kernel, its engine, porin-init, strace and the recorder. */
import { nodeArchitecture } from '#lib/profiles';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { promisify } from 'node:util';
import { ExecutionError } from '../execution-error.js';
import { type NodeFacts } from '../executor-run.js';
import { probeStrace } from '../monitoring/probe-strace.js';
import { Recorder } from '../monitoring/recorder.js';
import { cgroupLayout } from './cgroup.js';
import { infoAnswer, versionAnswer } from '../engine/answers.js';
import { type Engine } from '../engine/engine.js';
import { engineCall } from '../engine/engine-call.js';

export interface ProbeOptions {
  readonly engine: Engine;
  /** Host path of porin-init. */
  readonly initPath: string;
  /** The recorder, or why there is none. */
  readonly recorder: Recorder | Error;
}

const INIT_TIMEOUT_MS = 30_000;

/** Throws ExecutionError engine-error, and control-channel where porin-init does not run here. */
export async function probeNode({ engine: socket, initPath, recorder }: ProbeOptions): Promise<NodeFacts> {
  const [engine, init, strace, status, mountinfo] = await Promise.all([
    engineCall('say its version', () => socket.json(versionAnswer, { method: 'GET', path: ['version'] })),
    probeInit(initPath),
    probeStrace(),
    readFile('/proc/self/status', 'utf8'),
    readFile('/proc/self/mountinfo', 'utf8'),
  ]);
  return {
    architecture: nodeArchitecture(process.arch),
    cores: cpus().length,
    kernel: release(),
    engine: engine.Components[0]?.Name ?? 'Engine',
    engineVersion: engine.Version,
    cgroup: cgroupLayout(mountinfo),
    speculationStoreBypass: /^Speculation_Store_Bypass:\s*(.+)$/m.exec(status)?.[1] ?? 'unknown',
    ...init,
    ...strace,
    ...(recorder instanceof Recorder ? { recorderVersion: recorder.version } : { recorderProblem: recorder.message }),
  };
}

async function probeInit(path: string): Promise<{ initVersion: string; landlockAbi: number | null }> {
  const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: INIT_TIMEOUT_MS, env: {} }).catch(
    (cause: Error) => {
      throw new ExecutionError('control-channel', `porin-init does not run on this node: ${cause.message}`, { cause });
    },
  );
  const [, initVersion, landlock] = /^porin-init (\S+) landlock (\d+)$/m.exec(stdout) ?? [];
  if (initVersion === undefined) {
    throw new ExecutionError('control-channel', `${path} is not this version's porin-init: it says ${stdout.trim()}`);
  }
  return { initVersion, landlockAbi: Number(landlock) || null };
}

export interface EngineFacts {
  /** Its versions are Podman's, and not Docker's. */
  readonly isPodman: boolean;
  readonly version: string;
  readonly runcVersion: string | undefined;
  /** What the engine may use; undefined where it does not say. */
  readonly cores: number | undefined;
  readonly memoryBytes: number | undefined;
}

/** Throws ExecutionError engine-error. */
export async function readEngine(engine: Engine): Promise<EngineFacts> {
  const [version, info] = await Promise.all([
    engineCall('say its version', () => engine.json(versionAnswer, { method: 'GET', path: ['version'] })),
    engineCall('say what it has', () => engine.json(infoAnswer, { method: 'GET', path: ['info'] })),
  ]);
  return {
    isPodman: version.Components.some(({ Name }) => Name === 'Podman Engine'),
    version: version.Version,
    runcVersion: runcVersion(version.Components),
    cores: info.NCPU ?? undefined,
    memoryBytes: info.MemTotal ?? undefined,
  };
}

/** Docker says `1.1.5+ds1`, Podman what `runc --version` prints: `runc version 1.1.5+ds1`, and more on further lines. */
function runcVersion(components: readonly { Name: string; Version?: string | null | undefined }[]): string | undefined {
  const said = components.find(({ Name }) => Name === 'runc' || Name === 'OCI Runtime (runc)')?.Version ?? '';
  return /^(?:runc version )?(\S+)/.exec(said)?.[1];
}
