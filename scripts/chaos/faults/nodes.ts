/** Faults of a node's own: its engine, its disk, its recorder, its images. */
import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildTestImage } from '../../images/build-image.js';
import { CACHE_DIR } from '../../setup/paths.js';
import { type GridNode } from '../grid-services.js';
import { type Grid } from '../grid.js';
import { NODE_NUMBERS } from '../machines.js';
import { findBelow, freeze, signal } from '../processes.js';
import { type Fault, type Heal, nothingToHeal } from './fault.js';

/** By the name of its worker, so that no fault of that one strikes at the same time. */
const PARTS = NODE_NUMBERS.map((number) => `worker-${number}`);

const nodeFault = (
  name: string,
  lastsS: Fault['lastsS'],
  strike: (node: GridNode, grid: Grid, part: string) => Promise<Heal> | Heal,
): Fault => ({
  ...{ name, lastsS },
  parts: PARTS,
  strike(grid, part) {
    const number = NODE_NUMBERS.find((each) => part === `worker-${each}`);
    if (number === undefined) throw new Error(`${part} is on no node`);
    return strike(grid.node(number), grid, part);
  },
});

export const NODE_FAULTS: readonly Fault[] = [
  nodeFault('engine killed', [1, 3], ({ engine }) => {
    engine.kill();
    return nothingToHeal;
  }),
  nodeFault('engine frozen', [8, 25], ({ engine }) => freeze([engine.pid])),
  nodeFault('engine broken', [20, 40], ({ programDirectory }) => {
    // It answers, and starts nothing.
    const runc = join(programDirectory, 'runc');
    writeFileSync(runc, '#!/bin/sh\necho "runc is broken" >&2\nexit 1\n');
    chmodSync(runc, 0o755);
    return () => rmSync(runc);
  }),
  nodeFault('work disk full', [15, 30], ({ workDisk }) => {
    workDisk.fill();
    return () => workDisk.empty();
  }),
  nodeFault('node without a recorder', [20, 40], ({ nativeDirectory }, grid, part) => {
    const [path, away] = ['porin-recorder', 'away'].map((name) => join(nativeDirectory, name)) as [string, string];
    renameSync(path, away);
    const { pid } = grid.member(part);
    const recorder = pid === undefined ? undefined : findBelow(pid, 'porin-recorder');
    if (recorder !== undefined) signal([recorder], 'SIGKILL');
    return () => renameSync(away, path);
  }),
  nodeFault('node without the image', [20, 40], async ({ docker }, { image }) => {
    await docker.getImage(image).remove({ force: true });
    return async () => {
      await buildTestImage({ docker, cacheDir: CACHE_DIR, log: () => undefined });
    };
  }),
];
