/** What the programs of the grid stand on: Postgres and Redis, and for each node an engine, a disk and programs of its own. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Docker from 'dockerode';
import { docker, startEngine } from '../services/docker.js';
import { type Instance } from '../services/instance.js';
import { postgres } from '../services/postgres.js';
import { redis } from '../services/redis.js';
import { type PrivateService } from '../services/service.js';
import { NATIVE_DIR } from '../setup/paths.js';
import { KeptService } from './kept-service.js';
import { BASE, machine, type NodeNumber } from './machines.js';
import { aim, type Member, type WayName } from './member.js';
import { SmallDisk } from './small-disk.js';

const WORK_DISK_BYTES = 1024 ** 3;

export interface GridNode {
  readonly name: string;
  /** Of its engine and its programs. */
  readonly machine: Instance;
  readonly engine: KeptService;
  readonly docker: Docker;
  readonly workDisk: SmallDisk;
  /** With this node's own copies of porin-init and porin-recorder. */
  readonly nativeDirectory: string;
  /** What lies here is found before the machine's own programs, by the engine and what it starts. */
  readonly programDirectory: string;
}

export interface Services {
  readonly postgres: KeptService;
  readonly redis: KeptService;
}

/** What was started so far: all of it is let go, also where the start of the rest fails. */
export interface Started {
  readonly members: Map<string, Member>;
  readonly kept: KeptService[];
}

/** The ways of the members follow the services to wherever they start. */
export async function startServices({ members, kept }: Started, log: (message: string) => void): Promise<Services> {
  const keep = async (way: WayName, service: PrivateService) => {
    const started = await KeptService.start({
      service,
      instance: BASE,
      log,
      start: async (lastPort) => {
        const url = await service.start(BASE, lastPort);
        for (const member of members.values()) aim(member.ways[way], url);
        return url;
      },
    });
    kept.push(started);
    return started;
  };
  return { postgres: await keep('postgres', postgres), redis: await keep('redis', redis) };
}

export async function startNode(
  number: NodeNumber,
  { kept }: Started,
  log: (message: string) => void,
): Promise<GridNode> {
  const instance = machine(number);
  const [nativeDirectory, programDirectory] = ['native', 'bin'].map((name) => join(instance.directory, name)) as [
    string,
    string,
  ];
  for (const path of [nativeDirectory, programDirectory]) mkdirSync(path, { recursive: true, mode: 0o755 });
  for (const name of ['porin-init', 'porin-recorder'])
    copyFileSync(join(NATIVE_DIR, name), join(nativeDirectory, name));
  const environment = { ...process.env, PATH: `${programDirectory}:${process.env.PATH ?? ''}` };
  const start = () => startEngine(instance, environment);
  const engine = await KeptService.start({ service: docker, instance, log, start });
  kept.push(engine);
  return {
    name: `n${number}`,
    machine: instance,
    engine,
    docker: new Docker({ socketPath: engine.url.replace(/^unix:\/\//, '') }),
    // Not below the directory of its engine, whose start unmounts what a dead engine left there.
    workDisk: SmallDisk.mount(join(BASE.directory, 'work', String(number)), WORK_DISK_BYTES),
    nativeDirectory,
    programDirectory,
  };
}
