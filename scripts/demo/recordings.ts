/** Makes the demo's recordings by running the example's generator in the example's own image. */
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import type Docker from 'dockerode';
import { StoryError, type Scene } from './scene.js';
import { megabytes } from './text.js';

const GENERATOR = '/opt/edf-normalize/generate.py';

export interface Recording {
  readonly name: string;
  /** `file:` URL of it on this machine. */
  readonly url: string;
}

/** From an afternoon nap with few channels to a night in the laboratory. */
const NIGHTS = [
  { name: 'nap-7ch', seed: 1, channels: 7, minutes: 30 },
  { name: 'evening-12ch', seed: 2, channels: 12, minutes: 60 },
  { name: 'night-20ch', seed: 3, channels: 20, minutes: 240 },
] as const;

export async function makeRecordings(scene: Scene, imageId: string): Promise<Recording[]> {
  mkdirSync(scene.inputs, { recursive: true, mode: 0o700 });
  const recordings: Recording[] = [];
  for (const { name, seed, channels, minutes } of NIGHTS) {
    scene.signal.throwIfAborted();
    const path = join(scene.inputs, `${name}.edf`);
    await runGenerator(scene.docker, imageId, scene.inputs, [
      ...['--seed', String(seed), '--channels', String(channels), '--minutes', String(minutes)],
      ...['--output', `/data/${name}.edf`],
    ]);
    chmodSync(path, 0o644);
    scene.print(`${name}.edf: ${channels} channels, ${minutes} minutes, ${megabytes(statSync(path).size)}`);
    recordings.push({ name, url: pathToFileURL(path).href });
  }
  return recordings;
}

/** As the user of this command, who owns the directory. */
async function runGenerator(docker: Docker, imageId: string, directory: string, args: readonly string[]) {
  const container = await docker.createContainer({
    Image: imageId,
    Cmd: ['python3', GENERATOR, ...args],
    User: `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`,
    Labels: { 'porin.demo': 'generator' },
    HostConfig: {
      Binds: [`${directory}:/data`],
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      Tmpfs: { '/tmp': 'rw,nosuid,nodev,size=64m' },
    },
  });
  try {
    const output = new PassThrough();
    const stderr: Buffer[] = [];
    output.on('data', (chunk: Buffer) => stderr.push(chunk));
    const stream = await container.attach({ stream: true, stdout: true, stderr: true });
    docker.modem.demuxStream(stream, new PassThrough().resume(), output);
    await container.start();
    const { StatusCode: status } = (await container.wait()) as { StatusCode: number };
    if (status !== 0) {
      throw new StoryError(`the generator ended with exit code ${status}: ${Buffer.concat(stderr).toString().trim()}`);
    }
  } finally {
    await container.remove({ force: true, v: true });
  }
}
