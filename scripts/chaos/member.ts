/** A program of the grid under its supervisor, in a network namespace of its own, with its own ways to Postgres and Redis. */
import { runningDaemon, stopDaemon } from '../services/daemon.js';
import { type Instance } from '../services/instance.js';
import { type ProgramName, PROGRAMS, superviseProgram, type Variables } from '../services/programs.js';
import { Proxy } from '../services/proxy.js';
import { type Namespace } from './namespace.js';
import { childrenOf, pidOf } from './processes.js';

/** Beyond its drain. */
const STOP_GRACE_MS = 20_000;

export interface MemberParts {
  /** Such as `worker-2`. */
  readonly name: string;
  readonly program: ProgramName;
  /** Of the machine that it runs on. */
  readonly instance: Instance;
  readonly namespace: Namespace;
  readonly ways: Ways;
  readonly variables: Variables;
}

/** From a program to what it cannot do without. */
export interface Ways {
  readonly postgres: Proxy;
  readonly redis: Proxy;
}
export type WayName = keyof Ways;

export class Member {
  constructor(private readonly parts: MemberParts) {}

  get name(): string {
    return this.parts.name;
  }

  get namespace(): Namespace {
    return this.parts.namespace;
  }

  get ways(): Ways {
    return this.parts.ways;
  }

  /** Does not wait for it. */
  start(): void {
    const { instance, program, variables, namespace } = this.parts;
    superviseProgram(instance, program, { ...process.env, ...variables }, namespace.within);
  }

  /** Of the program itself; undefined while its supervisor waits before it starts it again. */
  get pid(): number | undefined {
    return childrenOf(pidOf(this.#place))[0];
  }

  /** The supervisor ends with it. */
  async stop(): Promise<void> {
    const record = runningDaemon(this.#place);
    if (record) await stopDaemon(record, STOP_GRACE_MS);
  }

  async closeWays(): Promise<void> {
    for (const way of Object.values(this.parts.ways) as readonly Proxy[]) await way.close();
  }

  get #place() {
    return PROGRAMS[this.parts.program].place(this.parts.instance);
  }
}

/** Where each leads is told by `aim` whenever the service has started. */
export async function openWays(host: string): Promise<Ways> {
  const nowhere = { host: '127.0.0.1', port: 1 };
  return { postgres: await Proxy.open(nowhere, undefined, host), redis: await Proxy.open(nowhere, undefined, host) };
}

export function aim(way: Proxy, url: string): void {
  const { hostname, port } = new URL(url);
  way.retarget({ host: hostname, port: Number(port) });
}

/** The URL as the program must have it. */
export function through(way: Proxy, host: string, url: string): string {
  return Object.assign(new URL(url), { hostname: host, port: String(way.port) }).href;
}
