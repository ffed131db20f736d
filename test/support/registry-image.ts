/** An image as registries keep it: busybox and one file of the test's in two layers, a configuration, and a manifest. */
import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { makeBusyboxRoot } from '../../scripts/images/busybox-root.js';

/** Image manifest version 2, schema 2 (distribution specification). */
export const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
const CONFIGURATION_TYPE = 'application/vnd.docker.container.image.v1+json';
const LAYER_TYPE = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
const GOARCH = process.arch === 'arm64' ? 'arm64' : 'amd64';

export interface RegistryImage {
  /** Of the manifest. */
  readonly digest: string;
  readonly manifest: Buffer;
  /** By digest. */
  readonly blobs: ReadonlyMap<string, Buffer>;
}

export interface ImageOptions {
  /** Of the file /content. */
  readonly content: string;
  /** GOARCH */
  readonly architecture?: string;
  /** Of the image's configuration, over what it has. */
  readonly config?: object;
  /** Of a file of zeros in a layer of its own, which hardly weighs anything. */
  readonly zeroBytes?: number;
}

interface Layer {
  readonly diffId: string;
  readonly compressed: Buffer;
}

let busybox: Layer | undefined;

export function makeRegistryImage(options: ImageOptions): RegistryImage {
  const { content, architecture = GOARCH, config = {}, zeroBytes } = options;
  busybox ??= inDirectory((directory) => {
    makeBusyboxRoot(join(directory, 'root.tar'));
    return layer(readFileSync(join(directory, 'root.tar')));
  });
  const layers = [busybox, contentLayer(content), ...(zeroBytes === undefined ? [] : [zeroLayer(zeroBytes)])];
  const configuration = json({
    architecture,
    os: 'linux',
    // Every image is a build of its own, even where a later test's registry has an earlier one's port.
    config: { Env: ['PATH=/bin', `IMAGE=${randomUUID()}`], Cmd: ['/bin/sh'], ...config },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: descriptor(CONFIGURATION_TYPE, configuration),
    layers: layers.map(({ compressed }) => descriptor(LAYER_TYPE, compressed)),
  });
  const blobs = [configuration, ...layers.map(({ compressed }) => compressed)];
  return { digest: digestOf(manifest), manifest, blobs: new Map(blobs.map((blob) => [digestOf(blob), blob])) };
}

function contentLayer(content: string): Layer {
  return inDirectory((directory) => {
    writeFileSync(join(directory, 'content'), content);
    const ownership = ['--owner=0', '--group=0', '--mode=0644'];
    const { status, stdout } = spawnSync('tar', ['--create', '--directory', directory, ...ownership, 'content']);
    if (status !== 0) throw new Error('tar failed');
    return layer(stdout);
  });
}

/** Never as a whole in memory but compressed. */
function zeroLayer(bytes: number): Layer {
  return inDirectory((directory) => {
    const script = `truncate --size=${bytes} zeros && tar --create zeros | tee >(sha256sum > sum) | gzip --fast`;
    const { status, stdout } = spawnSync('bash', ['-c', `${script} && wait`], { cwd: directory, maxBuffer: 1024 ** 3 });
    if (status !== 0) throw new Error('tar failed');
    const [sum = ''] = readFileSync(join(directory, 'sum'), 'utf8').split(' ');
    return { diffId: `sha256:${sum}`, compressed: stdout };
  });
}

function layer(tar: Buffer): Layer {
  return { diffId: digestOf(tar), compressed: gzipSync(tar, { level: 1 }) };
}

function descriptor(mediaType: string, blob: Buffer): { mediaType: string; size: number; digest: string } {
  return { mediaType, size: blob.length, digest: digestOf(blob) };
}

function digestOf(blob: Buffer): string {
  return `sha256:${createHash('sha256').update(blob).digest('hex')}`;
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function inDirectory<T>(use: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'porin-image-'));
  try {
    return use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
