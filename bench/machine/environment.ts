/** On what a bench ran: figures move between machines, kernels and engines, and mean nothing without these. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import type Docker from 'dockerode';

export interface Environment {
  readonly kernel: string;
  readonly node: string;
  readonly engine: string;
  /** Component -> version, as the engine names them. */
  readonly engineVersions: Readonly<Record<string, string>>;
  readonly cpuModel: string;
  readonly cores: number;
  /** ISO 8601, UTC. */
  readonly date: string;
  /** With `-dirty` when files were changed; null outside a checkout. */
  readonly gitCommit: string | null;
  readonly seed: number;
  /** `Speculation_Store_Bypass` of /proc/self/status. */
  readonly speculationStoreBypass: string;
}

export async function readEnvironment(docker: Docker, seed: number): Promise<Environment> {
  const version = await docker.version();
  const components = (version as { Components?: { Name: string; Version: string }[] }).Components ?? [];
  const processors = cpus();
  return {
    kernel: release(),
    node: process.version,
    engine: `${components[0]?.Name ?? 'Engine'} ${version.Version}`,
    engineVersions: Object.fromEntries(components.map(({ Name, Version }) => [Name, Version])),
    cpuModel: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    date: new Date().toISOString(),
    gitCommit: gitCommit(),
    seed,
    speculationStoreBypass: statusField(readFileSync('/proc/self/status', 'utf8'), 'Speculation_Store_Bypass'),
  };
}

/** One field of /proc/<pid>/status (proc(5)). */
export function statusField(status: string, name: string): string {
  const line = status.split('\n').find((candidate) => candidate.startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim() ?? 'unknown';
}

function gitCommit(): string | null {
  try {
    const options = { encoding: 'utf8' as const, stdio: ['ignore' as const, 'pipe' as const, 'ignore' as const] };
    return execFileSync('git', ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'], options).trim();
  } catch {
    return null;
  }
}
