/** A root file system of nothing but this machine's busybox, as a tar: an image that needs no network. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { ImageError } from './image-error.js';

/** Writes the tar to `target`; equal busybox programs give equal bytes. */
export function makeBusyboxRoot(target: string): void {
  const busybox = findBusybox();
  mkdirSync(dirname(target), { recursive: true });
  const work = mkdtempSync(`${target}.`);
  try {
    const root = join(work, 'root');
    for (const folder of ['bin', 'etc', 'tmp']) mkdirSync(join(root, folder), { recursive: true });
    copyFileSync(busybox, join(root, 'bin/busybox'));
    const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).split('\n');
    for (const applet of applets.filter((name) => name !== '' && name !== 'busybox')) {
      symlinkSync('busybox', join(root, 'bin', applet));
    }
    copyLibraries(busybox, root);
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n');
    writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
    chmodSync(join(root, 'bin/busybox'), 0o755);
    chmodSync(join(root, 'tmp'), 0o1777);
    const tar = join(work, 'root.tar');
    pack(root, tar);
    renameSync(tar, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function findBusybox(): string {
  const folders = `${process.env.PATH ?? ''}:/usr/bin:/bin`.split(delimiter).filter((folder) => folder.startsWith('/'));
  const path = folders.map((folder) => join(folder, 'busybox')).find((candidate) => existsSync(candidate));
  if (path) return path;
  throw new ImageError('busybox-missing', 'busybox is missing; as root, type:\n  apt-get install busybox-static');
}

/** The package busybox-static needs none; the package busybox, which machines often have already, needs the C library. */
function copyLibraries(program: string, root: string): void {
  const ldd = spawnSync('ldd', [program], { encoding: 'utf8' });
  if (ldd.status !== 0) return;
  for (const match of ldd.stdout.matchAll(/(\/\S+) \(0x/g)) {
    const library = match[1] ?? '';
    mkdirSync(join(root, dirname(library)), { recursive: true });
    copyFileSync(library, join(root, library));
  }
}

function pack(root: string, target: string): void {
  const args = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
  const result = spawnSync('tar', ['--create', '--file', target, '--directory', root, ...args, '.'], {
    encoding: 'utf8',
  });
  if (result.status !== 0) throw new ImageError('tar-failed', `tar failed: ${result.stderr || result.error?.message}`);
}
