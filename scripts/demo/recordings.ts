/** Makes the demo's recordings by running the example's generator in the example's own image. */
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runInImage } from '../images/run-in-image.js';
import { type Scene } from './scene.js';
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
    await runInImage(scene.docker, {
      imageId,
      command: [
        ...['python3', GENERATOR, '--seed', String(seed), '--channels', String(channels)],
        ...['--minutes', String(minutes), '--output', `/data/${name}.edf`],
      ],
      binds: [`${scene.inputs}:/data`],
      label: 'porin.demo',
    });
    chmodSync(path, 0o644);
    scene.print(`${name}.edf: ${channels} channels, ${minutes} minutes, ${megabytes(statSync(path).size)}`);
    recordings.push({ name, url: pathToFileURL(path).href });
  }
  return recordings;
}
