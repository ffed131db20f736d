/** A Debian root file system with a program of ours in it, as a tar, made by mmdebstrap out of Debian's packages alone. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ImageError } from './image-error.js';

const SUITE = 'bookworm';
/** No file in the image is younger (https://reproducible-builds.org/specs/source-date-epoch/). */
const SOURCE_DATE_EPOCH = '1735689600';
/** Stands in for usrmerge, which would bring Perl. */
const MERGED = 'usr-is-merged';

const DEFAULT_MIRROR = 'http://deb.debian.org/debian';
const EXCLUDED = [
  '/usr/share/doc/*',
  '/usr/share/man/*',
  '/usr/share/info/*',
  '/usr/share/locale/*',
  '/usr/share/lintian/*',
  '/usr/share/bash-completion/*',
];
/** Caches of the package tools. */
const CLEAN = 'rm -rf /var/cache/debconf /var/lib/apt/lists /var/cache/apt /var/cache/ldconfig /var/log/*';
const PROGRESS = /^I: (downloading|extracting|installing|creating|success)/;
/** Of mmdebstrap's output, for the error message. */
const KEPT_LINES = 15;

/** What a root file system is made of. */
export interface DebianRoot {
  readonly packages: readonly string[];
  /** The program's folder in the image. */
  readonly installDirectory: string;
  /** Host files and folders that are copied into it. */
  readonly files: readonly string[];
  /** Commands of the finished root's own shell. */
  readonly finish: readonly string[];
}

/** Writes the tar to `target`, whole or not at all; takes half a minute and more. */
export async function makeDebianRoot(
  root: DebianRoot,
  options: { target: string; log: (message: string) => void },
): Promise<void> {
  requireMmdebstrap();
  const partial = `${options.target}.${process.pid}`;
  const temporary = `${partial}.tmp`;
  mkdirSync(temporary, { recursive: true });
  try {
    await runMmdebstrap(mmdebstrapArguments(root, partial), temporary, options.log);
    renameSync(partial, options.target);
  } finally {
    rmSync(partial, { force: true });
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** What the tar follows from, files and suite apart: for digests of an image's inputs. */
export function recipeOf({ packages, installDirectory, finish }: DebianRoot): readonly string[] {
  return [SUITE, SOURCE_DATE_EPOCH, ...packages, installDirectory, ...finish, ...EXCLUDED, CLEAN];
}

function mmdebstrapArguments({ packages, installDirectory, files, finish }: DebianRoot, target: string): string[] {
  return [
    '--variant=essential',
    '--mode=root',
    '--format=tar',
    `--include=${[MERGED, ...packages].join(',')}`,
    '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr',
    '--aptopt=APT::Install-Recommends "false"',
    '--aptopt=Acquire::Retries "3"',
    ...EXCLUDED.map((path) => `--dpkgopt=path-exclude=${path}`),
    // Some packages register manual pages there, which are excluded.
    '--setup-hook=mkdir -p "$1/usr/share/man/man1"',
    `--customize-hook=mkdir -p "$1${installDirectory}"`,
    `--customize-hook=copy-in ${files.map(quoted).join(' ')} ${installDirectory}`,
    `--customize-hook=chroot "$1" sh -c ${quoted([...finish, CLEAN].join(' && '))}`,
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

/** Where the tar of an image of that name, made of these inputs, lies. */
export function rootTar(cacheDir: string, name: string, inputsDigest: string): string {
  return join(cacheDir, `${name}-${inputsDigest.slice(0, 16)}.tar`);
}

/** Removes the tars of that name that were made of other inputs. */
export function removeOtherTars(cacheDir: string, name: string, kept: string): void {
  for (const file of readdirSync(cacheDir)) {
    const path = join(cacheDir, file);
    const isOfName = file.startsWith(`${name}-`) && /^[0-9a-f]{16}\.tar$/.test(file.slice(name.length + 1));
    if (isOfName && path !== kept) rmSync(path);
  }
}
