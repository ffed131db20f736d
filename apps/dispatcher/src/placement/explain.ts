/** Says why the first job of a lane waits, and what would help: a pure function, in words for whoever submitted it. */
import { type Monitoring } from '#lib/profiles';
import { type Reservation, type Room } from './room.js';
import { ableRooms, type Candidate } from './schedule.js';
import { fits, KINDS, lackingEverywhere, type Share } from './share.js';

/** A node that has reported within a day, whatever its state. */
export interface KnownNode extends Share {
  readonly id: string;
  readonly name: string;
  readonly architecture: string;
  readonly offeredMonitorings: readonly Monitoring[];
  readonly opensSecrets: boolean;
  readonly state: 'READY' | 'DRAINING' | 'GONE' | 'SUSPECT';
  readonly silentForMs: number;
}

export interface View {
  readonly nodes: readonly KnownNode[];
  /** Of the nodes that take jobs. */
  readonly rooms: readonly Room[];
  readonly reservations: readonly Reservation[];
  readonly nowMs: number;
  /** Whether the dispatcher has a key of secrets. */
  readonly sealsSecrets: boolean;
  /** Jobs of other tenants wait that have had less for their weight. */
  readonly isBehindOthers: boolean;
}

const GIB = 1024 ** 3;
const AMOUNTS: Readonly<Record<keyof Share, (amount: number) => string>> = {
  cpuMilli: (amount) => `${rounded(amount / 1000)} CPUs`,
  memoryBytes: (amount) => `${rounded(amount / GIB)} GiB of memory`,
  diskBytes: (amount) => `${rounded(amount / GIB)} GiB of disk`,
};
/** Those that may take it the soonest come first. */
const NEARNESS: readonly KnownNode['state'][] = ['READY', 'SUSPECT', 'DRAINING', 'GONE'];
/** Named in one sentence, at most. */
const NAMES_MAXIMUM = 3;

export function explain(job: Candidate, view: View): string {
  const ofArchitecture = view.nodes.filter(({ architecture }) => architecture === job.architecture);
  if (ofArchitecture.length === 0) return `no node of architecture ${job.architecture} has reported within a day`;
  if (job.namesSecrets && !view.sealsSecrets) {
    return 'it names secrets, and the dispatcher has no key of them: an administrator sets PORIN_SECRETS_KEY_FILE';
  }
  const able = ableRooms(view.rooms, job);
  if (able.length === 0) return withoutNode(job, ofArchitecture);
  const reserved = view.reservations.find(({ jobId }) => jobId === job.jobId);
  const later = (atMs: number) => `free in about ${duration(atMs - view.nowMs)} at the latest`;
  if (reserved) return `${nameOf(view, reserved.nodeId)} is reserved for it, ${later(reserved.freeAtMs)}`;
  const behind = view.isBehindOthers
    ? '; its tenant has had more than its share lately, so jobs of others go first'
    : '';
  if (able.some((room) => room.startsNow(job))) return `it is placed next${behind}`;
  const [soonest] = able
    .map((room) => ({ room, atMs: room.freeAtMs(job) }))
    .sort((a, b) => a.atMs - b.atMs || (a.room.node.id < b.room.node.id ? -1 : 1));
  const taken = able.filter(({ reservation }) => reservation && reservation.jobId !== job.jobId);
  const others =
    taken.length > 0
      ? `; ${names(
          taken.map(({ node }) => node.name),
          'is',
          'are',
        )} reserved for another job`
      : '';
  const when = soonest ? `: ${soonest.room.node.name} has room for it, ${later(soonest.atMs)}` : '';
  return `the nodes that could run it are busy${when}${others}${behind}`;
}

/** None that takes jobs could run it: what each of those that come nearest lacks. */
function withoutNode(job: Candidate, nodes: readonly KnownNode[]): string {
  const large = nodes.filter((node) => fits(job, node));
  const lacking = lackingEverywhere(job, nodes);
  if (lacking) return lackingWords(job, nodes, lacking);
  return large.length === 0
    ? 'no node has room for it'
    : `of the nodes that could run it, ${large
        .toSorted((a, b) => NEARNESS.indexOf(a.state) - NEARNESS.indexOf(b.state))
        .slice(0, NAMES_MAXIMUM)
        .map((node) => obstacle(job, node))
        .join('; ')}`;
}

/** Of what `lackingEverywhere` has found. There is a node. */
export function lackingWords(job: Share, nodes: readonly KnownNode[], lacking: keyof Share): string {
  const largest = nodes.reduce((a, b) => (b[lacking] > a[lacking] ? b : a));
  return largest[lacking] < job[lacking]
    ? `no node has ${AMOUNTS[lacking](job[lacking])}; the largest, ${largest.name}, has ${AMOUNTS[lacking](largest[lacking])}`
    : `no node has ${KINDS.map((kind) => AMOUNTS[kind](job[kind])).join(', ')} together`;
}

function obstacle(job: Candidate, node: KnownNode): string {
  if (node.state === 'GONE') return `${node.name} has not reported for ${duration(node.silentForMs)}`;
  if (node.state === 'DRAINING') return `${node.name} is taken out of service`;
  if (node.state === 'SUSPECT') return `${node.name} is suspect, and takes no job until a probe of it succeeds`;
  if (job.boundNodeId !== null && job.boundNodeId !== node.id) return `${node.name} has not staged its outputs`;
  if (job.monitoring !== null && !node.offeredMonitorings.includes(job.monitoring)) {
    return `${node.name} does not offer the monitoring "${job.monitoring}"`;
  }
  if (job.namesSecrets && !node.opensSecrets) return `${node.name} opens no secrets: its worker is of an older version`;
  if (job.nodeFailures.some(({ nodeId }) => nodeId === node.id)) {
    return `${node.name} failed it before, and is to be probed first`;
  }
  return `${node.name} does not answer`;
}

function nameOf({ nodes }: View, id: string): string {
  return nodes.find((node) => node.id === id)?.name ?? id;
}

function names(all: readonly string[], one: string, several: string): string {
  const shown = all.slice(0, NAMES_MAXIMUM).join(', ');
  const more = all.length > NAMES_MAXIMUM ? ` and ${all.length - NAMES_MAXIMUM} more` : '';
  return `${shown}${more} ${all.length === 1 ? one : several}`;
}

/** In one unit: "40 s", "4 min", "3 h", "2 d". */
export function duration(ms: number): string {
  const s = Math.max(0, ms / 1000);
  if (s < 100) return `${Math.ceil(s / 5) * 5} s`;
  if (s < 100 * 60) return `${Math.ceil(s / 60)} min`;
  if (s < 48 * 3600) return `${Math.ceil(s / 3600)} h`;
  return `${Math.ceil(s / 86_400)} d`;
}

function rounded(amount: number): string {
  return String(Math.round(amount * 10) / 10);
}
