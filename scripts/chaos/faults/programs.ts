/** Faults of the programs: killed, frozen, told to end, cut off. */
import { killLeftContainers } from '../../services/docker-leftovers.js';
import { leaderPid } from '../grid-state.js';
import { type Grid } from '../grid.js';
import { LARGE_NODE } from '../machines.js';
import { type Member, type WayName } from '../member.js';
import { findBelow, freeze, signal, treeOf } from '../processes.js';
import { type Fault, nothingToHeal } from './fault.js';

const APIS = ['api-1', 'api-2'];
/** Which of the two that is, is looked up when the fault strikes. */
const LEADER = ['leading dispatcher'];
const STANDBY = ['standby dispatcher'];
const WORKERS = ['worker-1', 'worker-2', 'worker-3'];

async function memberOf(grid: Grid, part: string): Promise<Member> {
  const isLeader = LEADER.includes(part);
  if (!isLeader && !STANDBY.includes(part)) return grid.member(part);
  const pid = await leaderPid(grid);
  const dispatchers = [...grid.members.values()].filter(({ name }) => name.startsWith('dispatcher-'));
  const found = dispatchers.find((member) => (member.pid === pid) === isLeader);
  if (!found) throw new Error(`no dispatcher is the ${part}`);
  return found;
}

async function pidOf(grid: Grid, part: string): Promise<number> {
  const { pid } = await memberOf(grid, part);
  if (pid === undefined) throw new Error(`${part} does not run`);
  return pid;
}

const killed = (what: string, parts: readonly string[]): Fault => ({
  name: `${what} killed`,
  parts,
  lastsS: [1, 3],
  async strike(grid, part) {
    signal([await pidOf(grid, part)], 'SIGKILL');
    return nothingToHeal;
  },
});

const frozen = (what: string, parts: readonly string[], lastsS: Fault['lastsS']): Fault => ({
  name: `${what} frozen`,
  parts,
  lastsS,
  strike: async (grid, part) => freeze([await pidOf(grid, part)]),
});

const cutOff = (what: string, parts: readonly string[], lastsS: Fault['lastsS']): Fault => ({
  name: `${what} cut off`,
  parts,
  lastsS,
  async strike(grid, part) {
    const { namespace } = await memberOf(grid, part);
    namespace.cut();
    return () => namespace.mend();
  },
});

const wayClosed = (what: string, parts: readonly string[], way: WayName): Fault => ({
  name: `${what} without ${way}`,
  parts,
  lastsS: [8, 20],
  async strike(grid, part) {
    const closed = (await memberOf(grid, part)).ways[way];
    await closed.close();
    return () => closed.open();
  },
});

async function recorderOf(grid: Grid, part: string): Promise<number> {
  const pid = findBelow(await pidOf(grid, part), 'porin-recorder');
  if (pid === undefined) throw new Error(`${part} has no recorder`);
  return pid;
}

export const PROGRAM_FAULTS: readonly Fault[] = [
  killed('API', APIS),
  killed('dispatcher', LEADER),
  killed('standby dispatcher', STANDBY),
  killed('worker', WORKERS),
  frozen('API', APIS, [5, 15]),
  frozen('dispatcher', LEADER, [8, 20]),
  frozen('worker', WORKERS, [5, 20]),
  { ...frozen('worker', WORKERS, [40, 50]), name: 'worker frozen beyond its lease' },
  cutOff('API', APIS, [8, 20]),
  cutOff('dispatcher', LEADER, [10, 30]),
  cutOff('worker', WORKERS, [8, 20]),
  { ...cutOff('worker', WORKERS, [40, 50]), name: 'worker cut off beyond its lease' },
  wayClosed('API', APIS, 'postgres'),
  wayClosed('dispatcher', LEADER, 'redis'),
  wayClosed('worker', WORKERS, 'redis'),
  wayClosed('worker', WORKERS, 'postgres'),
  {
    name: 'worker told to end',
    parts: WORKERS,
    lastsS: [1, 3],
    async strike(grid, part) {
      signal([await pidOf(grid, part)], 'SIGTERM');
      return nothingToHeal;
    },
  },
  {
    name: 'recorder killed',
    parts: WORKERS,
    lastsS: [1, 3],
    async strike(grid, part) {
      signal([await recorderOf(grid, part)], 'SIGKILL');
      return nothingToHeal;
    },
  },
  {
    name: 'recorder frozen',
    parts: WORKERS,
    lastsS: [5, 20],
    strike: async (grid, part) => freeze([await recorderOf(grid, part)]),
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
    async strike(grid, part) {
      const node = [...grid.nodes.values()].find(({ name }) => name === nodeOf(part));
      if (!node) throw new Error(`${part} is on no node`);
      signal([...treeOf(await pidOf(grid, part)), node.engine.pid], 'SIGKILL');
      // With containerd and every container.
      killLeftContainers(node.machine);
      return nothingToHeal;
    },
  },
];

function nodeOf(part: string): string {
  return `n${part.split('-')[1]}`;
}
