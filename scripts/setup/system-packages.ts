/** The Debian packages that Porin needs on a node, and for its own commands. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { aptInstall } from './apt.js';
import { type Check, SetupError } from './check.js';

interface Requirement {
  readonly package: string;
  /** Shows that the package or one like it is there: a program on PATH, a file's absolute path, or a module of python3. */
  readonly provides: string;
  /** Whether it is needed for an `npm run` command. Absent: always. */
  readonly when?: (command: string) => boolean;
}

const PYTHON_MODULE = 'python3:';

/** `demo portal`: of the demo, that story. */
const hasClients = (command: string) => command === 'test' || command === 'demo portal';

export const REQUIREMENTS: readonly Requirement[] = [
  { package: 'docker.io', provides: 'dockerd' },
  // Where the kernel has AppArmor on, the engine starts no container without its parser.
  { package: 'apparmor', provides: 'apparmor_parser', when: kernelHasAppArmor },
  { package: 'redis-server', provides: 'redis-server' },
  { package: 'gcc', provides: 'gcc' },
  { package: 'libc6-dev', provides: '/usr/include/stdio.h' },
  { package: 'make', provides: 'make' },
  { package: 'clang', provides: 'clang' },
  { package: 'llvm', provides: 'llvm-strip' },
  { package: 'bpftool', provides: 'bpftool' },
  { package: 'libbpf-dev', provides: '/usr/include/bpf/libbpf.h' },
  { package: 'libseccomp-dev', provides: '/usr/include/seccomp.h' },
  { package: 'mmdebstrap', provides: 'mmdebstrap' },
  { package: 'busybox-static', provides: 'busybox' },
  { package: 'e2fsprogs', provides: 'mkfs.ext4' },
  { package: 'mount', provides: 'mount' },
  { package: 'iproute2', provides: 'ip' },
  { package: 'strace', provides: 'strace' },
  // A server and its own pg_dump, for the tests of backup and restore: the embedded Postgres has none.
  { package: 'postgresql', provides: 'pg_ctlcluster', when: (command) => command === 'test' },
  // 80 MB, for one of the test programs.
  { package: 'golang-go', provides: 'go', when: hasClients },
  // Clients in Python, each test with an environment of its own: Debian's python3 makes none without the package.
  { package: 'python3-venv', provides: `${PYTHON_MODULE}ensurepip`, when: hasClients },
];

export function systemPackages(command: string): Check {
  return {
    name: 'system packages',
    have: () => missingPackages(command).length === 0,
    install: (log) => {
      const missing = missingPackages(command);
      refuseUnlessInstallable(missing, process.getuid?.() === 0, isThere('apt-get'));
      log(`installing with apt-get: ${missing.join(' ')}`);
      aptInstall(missing);
    },
  };
}

export function missingPackages(command: string, has: (provides: string) => boolean = isThere): string[] {
  return REQUIREMENTS.filter(({ provides, when }) => (when?.(command) ?? true) && !has(provides)).map(
    (requirement) => requirement.package,
  );
}

/** Throws SetupError with the one line to type. */
export function refuseUnlessInstallable(missing: readonly string[], isRoot: boolean, hasApt: boolean): void {
  if (!hasApt) {
    throw new SetupError(`This is no Debian (there is no apt-get). Install what provides: ${missing.join(' ')}`);
  }
  if (!isRoot) {
    throw new SetupError(
      `System packages are missing. As root, type:\n  apt-get install -y --no-install-recommends ${missing.join(' ')}`,
    );
  }
}

function isThere(provides: string): boolean {
  if (provides.startsWith(PYTHON_MODULE)) {
    const module = provides.slice(PYTHON_MODULE.length);
    return spawnSync('python3', ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0;
  }
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

function kernelHasAppArmor(): boolean {
  try {
    return readFileSync('/sys/module/apparmor/parameters/enabled', 'utf8').startsWith('Y');
  } catch {
    return false;
  }
}
