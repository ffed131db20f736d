/** The image of the attack suite: busybox's, with the attacking program, a copy of it that is set-user-id root, and secrets. */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { type BuiltImage, importRoot } from '../../scripts/images/engine.js';
import { makeBusyboxRoot } from '../../scripts/images/busybox-root.js';

const PAYLOADS = join(import.meta.dirname, 'payloads');
const FLAGS = ['-std=gnu11', '-D_GNU_SOURCE', '-O1', '-Wall', '-Wextra', '-Werror', '-static', '-pthread'];
/** What no attack may ever print or publish. */
export const SECRET = 'root:secret-of-the-image:19700:0:99999:7:::';

type Paths = [string, string, string];

export async function buildAttackImage(docker: Docker): Promise<BuiltImage> {
  const directory = mkdtempSync(join(tmpdir(), 'porin-attack-image-'));
  try {
    const [root, busybox, tar] = ['root', 'busybox.tar', 'image.tar'].map((name) => join(directory, name)) as Paths;
    mkdirSync(root);
    makeBusyboxRoot(busybox);
    execFileSync('tar', ['--extract', '--file', busybox, '--directory', root]);
    for (const name of ['in', 'out']) mkdirSync(join(root, name));
    compile(join(root, 'attack'));
    copyFileSync(join(root, 'attack'), join(root, 'attack-setuid'));
    chmodSync(join(root, 'attack-setuid'), 0o4755);
    writeFileSync(join(root, 'etc/shadow'), `${SECRET}\n`, { mode: 0o600 });
    execFileSync('tar', ['--create', '--file', tar, '--owner=0', '--group=0', '--directory', root, '.']);
    const reference = `porin-test/attack:${process.pid}`;
    return await importRoot(docker, { tar, reference, inputs: reference, changes: ['CMD ["/attack"]'] });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A shared library for LD_PRELOAD. */
export function compilePreload(target: string): void {
  const source = join(PAYLOADS, 'preload/preload.c');
  execFileSync('cc', ['-std=gnu11', '-D_GNU_SOURCE', '-O1', '-shared', '-fPIC', '-nostdlib', '-o', target, source]);
}

/** The program, for the host. */
export function compile(target: string): void {
  const sources = readdirSync(PAYLOADS).filter((name) => name.endsWith('.c'));
  execFileSync('cc', [...FLAGS, '-o', target, ...sources.map((name) => join(PAYLOADS, name))]);
}
