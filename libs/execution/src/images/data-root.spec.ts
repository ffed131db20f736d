import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Engine } from '../engine/engine.js';
import { DataRoot } from './data-root.js';

let root: string;
let containerd: string;
beforeEach(() => {
  [root, containerd] = ['engine', 'containerd'].map((name) => mkdtempSync(join(tmpdir(), `porin-${name}-`))) as [
    string,
    string,
  ];
});
afterEach(() => [root, containerd].forEach((path) => rmSync(path, { recursive: true })));

/** An engine that says this of itself. */
const engineWith = (DriverStatus: [string, string][]): Pick<Engine, 'json'> => ({
  json: (schema) => Promise.resolve(schema.parse({ DockerRootDir: root, Driver: 'overlayfs', DriverStatus }) as never),
});
const CONTAINERD: [string, string][] = [['driver-type', 'io.containerd.snapshotter.v1']];

it('is where the engine keeps its layers, which with the image store of containerd is containerd’s own', async () => {
  const pathOf = async (status: [string, string][], place = containerd) =>
    (await DataRoot.of(engineWith(status), '/nowhere', place)).path;
  expect(await pathOf([])).toBe(root);
  expect(await pathOf(CONTAINERD)).toBe(containerd);
  expect(await pathOf(CONTAINERD, join(containerd, 'absent'))).toBe(root);
});
