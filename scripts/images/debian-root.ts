/** A Debian root file system with the EDF program in it, as a tar, made by mmdebstrap out of Debian's packages alone. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ImageError } from './image-error.js';

export const SUITE = 'bookworm';
/** usr-is-merged stands in for usrmerge, which would bring Perl. */
export const PACKAGES = ['usr-is-merged', 'python3-numpy'];
/** No file in the image is younger (https://reproducible-builds.org/specs/source-date-epoch/). */
export const SOURCE_DATE_EPOCH = '1735689600';
export const INSTALL_DIRECTORY = '/opt/edf-normalize';

const DEFAULT_MIRROR = 'http://deb.debian.org/debian';
const EXCLUDED = [
  '/usr/share/doc/*',
  '/usr/share/man/*',
  '/usr/share/info/*',
  '/usr/share/locale/*',
  '/usr/share/lintian/*',
  '/usr/share/bash-completion/*',
];
/**
 * Run in the finished root as `sh -c`. The bytecode is of the kind that Python never checks against its source, so that
 * every run makes the same system calls, and the caches of the package tools go.
 */
export const FINISH = [
  // Not excluded above: the package's own installation compiles them.
  'find /usr/lib/python3/dist-packages/numpy -name tests -prune -exec rm -r {} +',
  `find ${INSTALL_DIRECTORY} -name __pycache__ -prune -exec rm -r {} +`,
  `chmod -R u=rwX,go=rX ${INSTALL_DIRECTORY}`,
  `PYTHONHASHSEED=0 python3 -m compileall -q -f --invalidation-mode unchecked-hash /usr/lib/python3 /usr/lib/python3.11 ${INSTALL_DIRECTORY}`,
  'rm -rf /var/cache/debconf /var/lib/apt/lists /var/cache/apt /var/cache/ldconfig /var/log/*',
].join(' && ');
const PROGRESS = /^I: (downloading|extracting|installing|creating|success)/;
/** Of mmdebstrap's output, for the error message. */
const KEPT_LINES = 15;

/** Writes the tar to `target`, whole or not at all; takes about half a minute. `files` are copied into the program's folder. */
export async function makeDebianRoot(options: {
  target: string;
  files: readonly string[];
  log: (message: string) => void;
}): Promise<void> {
  requireMmdebstrap();
  const partial = `${options.target}.${process.pid}`;
  const temporary = `${partial}.tmp`;
  mkdirSync(temporary, { recursive: true });
  try {
    await runMmdebstrap(mmdebstrapArguments(partial, options.files), temporary, options.log);
    renameSync(partial, options.target);
  } finally {
    rmSync(partial, { force: true });
    rmSync(temporary, { recursive: true, force: true });
  }
}

function mmdebstrapArguments(target: string, files: readonly string[]): string[] {
  return [
    '--variant=essential',
    '--mode=root',
    '--format=tar',
    `--include=${PACKAGES.join(',')}`,
    '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr',
    '--aptopt=APT::Install-Recommends "false"',
    '--aptopt=Acquire::Retries "3"',
    ...EXCLUDED.map((path) => `--dpkgopt=path-exclude=${path}`),
    `--customize-hook=mkdir -p "$1${INSTALL_DIRECTORY}"`,
    `--customize-hook=copy-in ${files.map(quoted).join(' ')} ${INSTALL_DIRECTORY}`,
    `--customize-hook=chroot "$1" sh -c ${quoted(FINISH)}`,
    SUITE,
    target,
    mirror(),
  ];
}

/** The Debian mirror that this machine's apt uses, for networks where only that one is in reach. */
function mirror(): string {
  const format = '$(ORIGIN) $(CODENAME) $(COMPONENT) $(REPO_URI)';
  const targets = spawnSync('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'], {
    encoding: 'utf8',
  });
  const prefix = `Debian ${SUITE} main `;
  const line = (targets.stdout ?? '').split('\n').find((candidate) => candidate.startsWith(`${prefix}http`));
  return line?.slice(prefix.length).replace(/\/$/, '') ?? DEFAULT_MIRROR;
}

function requireMmdebstrap(): void {
  if (process.getuid?.() !== 0) {
    throw new ImageError('not-root', 'Building the example image from Debian packages needs root; run this as root.');
  }
  if (spawnSync('mmdebstrap', ['--version'], { stdio: 'ignore' }).error) {
    throw new ImageError('mmdebstrap-missing', 'mmdebstrap is missing; as root, type:\n  apt-get install mmdebstrap');
  }
}

async function runMmdebstrap(
  args: readonly string[],
  temporary: string,
  log: (message: string) => void,
): Promise<void> {
  const child = spawn('mmdebstrap', args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, TMPDIR: temporary, SOURCE_DATE_EPOCH, LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' },
  });
  const last: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (PROGRESS.test(line)) log(`image: ${line.slice(3)}`);
    last.push(line);
    if (last.length > KEPT_LINES) last.shift();
  });
  const status = await new Promise<number | null>((resolve, reject) =>
    child.on('error', reject).on('close', (code) => resolve(code)),
  );
  if (status !== 0) {
    throw new ImageError('mmdebstrap-failed', `mmdebstrap failed (${status}). Its last lines:\n  ${last.join('\n  ')}`);
  }
}

/** Quotes one word for mmdebstrap's hooks, which a shell reads. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** Where the tar for these inputs lies. */
export function rootTar(cacheDir: string, inputsDigest: string): string {
  return join(cacheDir, `edf-normalize-${inputsDigest.slice(0, 16)}.tar`);
}
