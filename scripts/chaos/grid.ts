/** A whole grid on this machine: services, three nodes with engines of their own, two APIs and two dispatchers, all supervised. */
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Docker from 'dockerode';
import { Connection } from '#lib/database';
import { buildTestImage } from '../images/build-image.js';
import { askCli } from '../services/cli.js';
import { type DatabaseUrls, learnUnknownContent, prepareDatabase, prepareNode } from '../services/database.js';
import { docker, startEngine } from '../services/docker.js';
import { type Instance, type InstanceName, makeDirectories, openInstance } from '../services/instance.js';
import { unmountBelow } from '../services/mounts.js';
import { postgres } from '../services/postgres.js';
import { dataDirectories, type ProgramName, programVariables, type Variables } from '../services/programs.js';
import { redis } from '../services/redis.js';
import { type PrivateService } from '../services/service.js';
import { stopStack } from '../services/stop-stack.js';
import { CACHE_DIR, NATIVE_DIR } from '../setup/paths.js';
import { KeptService } from './kept-service.js';
import { aim, Member, openWays, through, type WayName } from './member.js';
import { Namespace } from './namespace.js';
import { SmallDisk } from './small-disk.js';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const API_PORT = '8080';
/** Submitting is what chaos does, and must not be refused for that. */
const RATE_LIMIT_PER_MINUTE = '1000000';
const UIDS_PER_NODE = 1_000;
const FIRST_UID = 1_900_000_000;
const POSTGRES_DISK_BYTES = 2 * GIB;
const WORK_DISK_BYTES = GIB;
const DATABASE_IS_UP_MS = 120_000;

export const NODE_NUMBERS = [1, 2, 3] as const;
export type NodeNumber = (typeof NODE_NUMBERS)[number];
/** The only node where large jobs fit. */
export const LARGE_NODE: NodeNumber = 3;
export const SMALL_NODE_MEMORY_BYTES = 2 * GIB;
const LARGE_NODE_MEMORY_BYTES = 4 * GIB;

const INSTANCES = ['chaos', 'chaos-1', 'chaos-2', 'chaos-3'] as const satisfies readonly InstanceName[];
const BASE = openInstance('chaos');
const machine = (number: NodeNumber) => openInstance(`chaos-${number}`);

/** Which program runs on which machine. */
const PLACES: readonly { readonly program: ProgramName; readonly on: NodeNumber }[] = [
  { program: 'api', on: 1 },
  { program: 'api', on: 2 },
  { program: 'dispatcher', on: 1 },
  { program: 'dispatcher', on: 2 },
  { program: 'worker', on: 1 },
  { program: 'worker', on: 2 },
  { program: 'worker', on: 3 },
];

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
interface Started {
  readonly members: Map<string, Member>;
  readonly kept: KeptService[];
}

export class Grid {
  readonly outputs = dataDirectories(BASE).outputs;
  readonly inputs = dataDirectories(BASE).inputs;

  private constructor(
    readonly services: Services,
    readonly postgresDisk: SmallDisk,
    readonly nodes: ReadonlyMap<NodeNumber, GridNode>,
    readonly members: ReadonlyMap<string, Member>,
    readonly image: string,
    readonly apiUrls: readonly string[],
    readonly apiKey: string,
  ) {}

  /** Everything starts empty, and is removed when `work` has ended, however it did. */
  static async use<T>(
    { log, stop }: { readonly log: (message: string) => void; readonly stop: AbortSignal },
    work: (grid: Grid) => Promise<T>,
  ): Promise<T> {
    await removeLeft();
    for (const name of INSTANCES) rmSync(openInstance(name).directory, { recursive: true, force: true });
    const started: Started = { members: new Map(), kept: [] };
    try {
      return await work(await Grid.#start(started, log, stop));
    } finally {
      log('removing the grid');
      await remove(started);
    }
  }

  static async #start(started: Started, log: (message: string) => void, stop: AbortSignal): Promise<Grid> {
    for (const name of INSTANCES) makeDirectories(openInstance(name));
    for (const path of Object.values(dataDirectories(BASE))) mkdirSync(path, { recursive: true, mode: 0o700 });
    log('starting Postgres, Redis and three engines');
    const postgresDisk = SmallDisk.mount(join(BASE.directory, 'postgres'), POSTGRES_DISK_BYTES);
    const { members } = started;
    const services = await startServices(started, log);
    const nodes = new Map<NodeNumber, GridNode>();
    let image = '';
    for (const number of NODE_NUMBERS) {
      stop.throwIfAborted();
      const node = await startNode(number, started, log);
      nodes.set(number, node);
      image = (await buildTestImage({ docker: node.docker, cacheDir: CACHE_DIR, log: () => undefined })).reference;
    }
    const database = await prepareDatabase(BASE, services.postgres.url);
    await learnUnknownContent(database.ownerUrl);
    log('starting the programs');
    for (const [index, { program, on }] of PLACES.entries()) {
      stop.throwIfAborted();
      const name = `${program}-${on}`;
      const member = await makeMember({ name, program, on, index, services, database, node: nodes.get(on) });
      members.set(name, member);
      member.start();
    }
    const apiUrls = [...members.values()]
      .filter(({ name }) => name.startsWith('api-'))
      .map(({ namespace }) => `http://${namespace.inside}:${API_PORT}`);
    const key = ['key', 'create', '--role', 'submitter', '--name', 'chaos', '--days', '1'];
    const apiKey = askCli(key, { PORIN_DATABASE_URL: database.apiUrl });
    return new Grid(services, postgresDisk, nodes, members, image, apiUrls, apiKey);
  }

  member(name: string): Member {
    const found = this.members.get(name);
    if (!found) throw new Error(`there is no ${name}`);
    return found;
  }

  node(number: NodeNumber): GridNode {
    const found = this.nodes.get(number);
    if (!found) throw new Error(`there is no node ${number}`);
    return found;
  }

  /** As its owner, on a connection of its own. Waits for Postgres where it is away. */
  async query<Row extends object>(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    for (const deadline = Date.now() + DATABASE_IS_UP_MS; ;) {
      const client = new Connection({ connectionString: ownerUrl(this.services.postgres.url) });
      try {
        await client.connect();
        return (await client.query<Row>(sql, [...values])).rows;
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  }
}

async function remove({ members, kept }: Started): Promise<void> {
  await Promise.all([...members.values()].map((member) => member.stop()));
  await Promise.all(kept.map((service) => service.letGo()));
  for (const member of members.values()) await member.closeWays();
  await removeLeft();
}

/** All that this or an earlier process has made: processes, mounts, namespaces. Logs stay. */
async function removeLeft(): Promise<void> {
  for (const name of INSTANCES.toReversed()) {
    await stopStack(name);
    unmountBelow(openInstance(name).directory);
  }
  Namespace.removeAll(BASE);
}

function ownerUrl(postgresUrl: string): string {
  return Object.assign(new URL(postgresUrl), { pathname: 'porin' }).href;
}

/** The ways of the members follow the services to wherever they start. */
async function startServices({ members, kept }: Started, log: (message: string) => void): Promise<Services> {
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

async function startNode(number: NodeNumber, { kept }: Started, log: (message: string) => void): Promise<GridNode> {
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

interface MemberOrder {
  readonly name: string;
  readonly program: ProgramName;
  readonly on: NodeNumber;
  readonly index: number;
  readonly services: Services;
  readonly database: DatabaseUrls;
  readonly node: GridNode | undefined;
}

async function makeMember(order: MemberOrder): Promise<Member> {
  const { name, program, on, index, services, database, node } = order;
  const namespace = Namespace.make(BASE, index + 1);
  const ways = await openWays(namespace.outside);
  aim(ways.postgres, services.postgres.url);
  aim(ways.redis, services.redis.url);
  const redisUrl = through(ways.redis, namespace.outside, services.redis.url);
  const postgresUrl = (url: string) => through(ways.postgres, namespace.outside, url);
  const credentials = program === 'worker' ? await prepareNode(BASE, node?.name ?? '', { database, redisUrl }) : {};
  const variables = programVariables(BASE, program, {
    database,
    redisUrl,
    dockerHost: node?.engine.url ?? '',
    node: credentials,
    extra: extraVariables({ program, on, instance: machine(on), namespace, node }),
  });
  const own = { ...variables, PORIN_DATABASE_URL: postgresUrl(variables.PORIN_DATABASE_URL ?? '') };
  return new Member({ name, program, instance: machine(on), namespace, ways, variables: own });
}

function extraVariables({
  program,
  on,
  instance,
  namespace,
  node,
}: Pick<MemberOrder, 'program' | 'on' | 'node'> & {
  readonly instance: Instance;
  readonly namespace: Namespace;
}): Variables {
  const of: Readonly<Record<ProgramName, () => Variables>> = {
    api: () => ({
      PORIN_HOST: namespace.inside,
      PORIN_PORT: API_PORT,
      PORIN_RATE_LIMIT_PER_MINUTE: RATE_LIMIT_PER_MINUTE,
      PORIN_TENANT_RATE_LIMIT_PER_MINUTE: RATE_LIMIT_PER_MINUTE,
    }),
    dispatcher: () => ({}),
    worker: () => ({
      PORIN_WORK_DIR: node?.workDisk.path ?? '',
      PORIN_RUN_DIR: runDirectory(instance),
      PORIN_NATIVE_DIR: node?.nativeDirectory ?? '',
      PORIN_BASE_UID: String(FIRST_UID + on * UIDS_PER_NODE),
      PORIN_SLOTS: '2',
      PORIN_CPU_MILLI: '2000',
      PORIN_MEMORY_BYTES: String(on === LARGE_NODE ? LARGE_NODE_MEMORY_BYTES : SMALL_NODE_MEMORY_BYTES),
      PORIN_DISK_BYTES: String(256 * MIB),
      PORIN_IMAGE_REGISTRIES: '127.0.0.1:*',
      PORIN_LOCAL_IMAGES: '*',
      PORIN_DRAIN_MS: '10000',
    }),
  };
  return of[program]();
}

function runDirectory(instance: Instance): string {
  const path = join(instance.runDirectory, 'w');
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}
