/** Faults of the programs: killed, frozen, told to end, cut off. */
import { killLeftContainers } from '../../services/docker-leftovers.js';
import { type Grid } from '../grid.js';
import { LARGE_NODE } from '../machines.js';
import { type WayName } from '../member.js';
import { findBelow, freeze, signal, treeOf } from '../processes.js';
import { type Fault, nothingToHeal } from './fault.js';

const APIS = ['api-1', 'api-2'];
const DISPATCHERS = ['dispatcher-1', 'dispatcher-2'];
const WORKERS = ['worker-1', 'worker-2', 'worker-3'];

function pidOf(grid: Grid, part: string): number {
  const { pid } = grid.member(part);
  if (pid === undefined) throw new Error(`${part} does not run`);
  return pid;
}

const killed = (what: string, parts: readonly string[]): Fault => ({
  name: `${what} killed`,
  parts,
  lastsS: [1, 3],
  strike(grid, part) {
    signal([pidOf(grid, part)], 'SIGKILL');
    return nothingToHeal;
  },
});

const frozen = (what: string, parts: readonly string[], lastsS: Fault['lastsS']): Fault => ({
  name: `${what} frozen`,
  parts,
  lastsS,
  strike: (grid, part) => freeze([pidOf(grid, part)]),
});

const cutOff = (what: string, parts: readonly string[], lastsS: Fault['lastsS']): Fault => ({
  name: `${what} cut off`,
  parts,
  lastsS,
  strike(grid, part) {
    const { namespace } = grid.member(part);
    namespace.cut();
    return () => namespace.mend();
  },
});

const wayClosed = (what: string, parts: readonly string[], way: WayName): Fault => ({
  name: `${what} without ${way}`,
  parts,
  lastsS: [8, 20],
  async strike(grid, part) {
    const closed = grid.member(part).ways[way];
    await closed.close();
    return () => closed.open();
  },
});

function recorderOf(grid: Grid, part: string): number {
  const pid = findBelow(pidOf(grid, part), 'porin-recorder');
  if (pid === undefined) throw new Error(`${part} has no recorder`);
  return pid;
}

export const PROGRAM_FAULTS: readonly Fault[] = [
  killed('API', APIS),
  killed('dispatcher', DISPATCHERS),
  killed('worker', WORKERS),
  frozen('API', APIS, [5, 15]),
  frozen('dispatcher', DISPATCHERS, [8, 20]),
  frozen('worker', WORKERS, [5, 20]),
  { ...frozen('worker', WORKERS, [40, 50]), name: 'worker frozen beyond its lease' },
  cutOff('API', APIS, [8, 20]),
  cutOff('dispatcher', DISPATCHERS, [10, 30]),
  cutOff('worker', WORKERS, [8, 20]),
  { ...cutOff('worker', WORKERS, [40, 50]), name: 'worker cut off beyond its lease' },
  wayClosed('API', APIS, 'postgres'),
  wayClosed('dispatcher', DISPATCHERS, 'redis'),
  wayClosed('worker', WORKERS, 'redis'),
  wayClosed('worker', WORKERS, 'postgres'),
  {
    name: 'worker told to end',
    parts: WORKERS,
    lastsS: [1, 3],
    strike(grid, part) {
      signal([pidOf(grid, part)], 'SIGTERM');
      return nothingToHeal;
    },
  },
  {
    name: 'recorder killed',
    parts: WORKERS,
    lastsS: [1, 3],
    strike(grid, part) {
      signal([recorderOf(grid, part)], 'SIGKILL');
      return nothingToHeal;
    },
  },
  {
    name: 'recorder frozen',
    parts: WORKERS,
    lastsS: [5, 20],
    strike: (grid, part) => freeze([recorderOf(grid, part)]),
  },
  {
    name: 'large jobs without a node',
    parts: [`worker-${LARGE_NODE}`],
    lastsS: [50, 80],
    async strike(grid, part) {
      const member = grid.member(part);
      await member.stop();
      return () => member.start();
    },
  },
  {
    name: 'machine without power',
    parts: WORKERS,
    lastsS: [1, 3],
    strike(grid, part) {
      const node = [...grid.nodes.values()].find(({ name }) => name === nodeOf(part));
      if (!node) throw new Error(`${part} is on no node`);
      signal([...treeOf(pidOf(grid, part)), node.engine.pid], 'SIGKILL');
      // With containerd and every container.
      killLeftContainers(node.machine);
      return nothingToHeal;
    },
  },
];

function nodeOf(part: string): string {
  return `n${part.split('-')[1]}`;
}
