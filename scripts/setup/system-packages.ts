/** The Debian packages that Porin needs on a node, and their installation without starting any service. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

interface Requirement {
  readonly package: string;
  /** A program on PATH, or a file by its absolute path, that shows the package is there. */
  readonly provides: string;
}

export const REQUIREMENTS: readonly Requirement[] = [
  { package: 'docker.io', provides: 'dockerd' },
  { package: 'redis-server', provides: 'redis-server' },
  { package: 'gcc', provides: 'gcc' },
  { package: 'libc6-dev', provides: '/usr/include/stdio.h' },
  { package: 'make', provides: 'make' },
  { package: 'libelf-dev', provides: '/usr/include/libelf.h' },
  { package: 'zlib1g-dev', provides: '/usr/include/zlib.h' },
  { package: 'clang', provides: 'clang' },
  { package: 'llvm', provides: 'llvm-strip' },
  { package: 'bpftool', provides: 'bpftool' },
  { package: 'libbpf-dev', provides: '/usr/include/bpf/libbpf.h' },
  { package: 'libseccomp-dev', provides: '/usr/include/seccomp.h' },
  { package: 'mmdebstrap', provides: 'mmdebstrap' },
  { package: 'busybox-static', provides: 'busybox' },
  { package: 'strace', provides: 'strace' },
];

const POLICY = '/usr/sbin/policy-rc.d';
const APT_OPTIONS = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3'];

export class MissingPackagesError extends Error {
  readonly code = 'missing-packages';
}

export function missingPackages(has: (provides: string) => boolean = isThere): string[] {
  return REQUIREMENTS.filter(({ provides }) => !has(provides)).map((requirement) => requirement.package);
}

/** Installs what is missing; throws MissingPackagesError with the exact command where it cannot. */
export function installSystemPackages(log: (message: string) => void): void {
  const missing = missingPackages();
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0)
    throw new MissingPackagesError(`These packages are missing; as root, type:\n  ${command}`);
  if (!isThere('apt-get')) {
    throw new MissingPackagesError(
      `This is no Debian (there is no apt-get). Install the equivalents of: ${missing.join(' ')}`,
    );
  }
  log(`installing ${missing.join(' ')}`);
  withoutStartingServices(() => {
    apt('update', '-qq');
    apt('install', '-y', '-qq', '--no-install-recommends', ...missing);
  });
  const still = missingPackages();
  if (still.length > 0)
    throw new MissingPackagesError(`apt-get did not bring ${still.join(' ')}; see its output above`);
}

function apt(...args: string[]): void {
  const result = spawnSync('apt-get', [...APT_OPTIONS, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (result.status !== 0) throw new MissingPackagesError(`apt-get ${args.join(' ')} failed; see its output above`);
}

/** Debian starts a service when its package is installed, unless policy-rc.d answers 101 (Debian policy, 9.3.3). */
function withoutStartingServices(install: () => void): void {
  if (existsSync(POLICY)) return install();
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    install();
  } finally {
    rmSync(POLICY, { force: true });
  }
}

function isThere(provides: string): boolean {
  const places = provides.startsWith('/')
    ? [provides]
    : `${process.env.PATH ?? ''}:/usr/sbin:/sbin`.split(delimiter).map((folder) => join(folder, provides));
  return places.some((path) => {
    try {
      accessSync(path, constants.R_OK);
      return true;
    } catch {
      return false;
    }
  });
}
