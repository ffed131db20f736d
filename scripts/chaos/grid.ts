/** A whole grid on this machine: services, three nodes with engines of their own, two APIs and two dispatchers, all supervised. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '#lib/database';
import { buildTestImage } from '../images/build-image.js';
import { askCli } from '../services/cli.js';
import { learnUnknownContent, prepareDatabase } from '../services/database.js';
import { makeDirectories, openInstance } from '../services/instance.js';
import { unmountBelow } from '../services/mounts.js';
import { dataDirectories } from '../services/programs.js';
import { stopStack } from '../services/stop-stack.js';
import { CACHE_DIR } from '../setup/paths.js';
import { API_PORT, makeMember, PLACES } from './grid-members.js';
import { type GridNode, type Services, type Started, startNode, startServices } from './grid-services.js';
import { BASE, INSTANCES, NODE_NUMBERS, type NodeNumber } from './machines.js';
import { type Member } from './member.js';
import { Namespace } from './namespace.js';
import { SmallDisk } from './small-disk.js';

const POSTGRES_DISK_BYTES = 2 * 1024 ** 3;
const DATABASE_IS_UP_MS = 120_000;
const RETRY_MS = 1_000;

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
        await sleep(RETRY_MS);
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
