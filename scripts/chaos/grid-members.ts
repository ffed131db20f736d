/** The programs of the grid: which runs where, and its settings. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type DatabaseUrls, prepareNode } from '../services/database.js';
import { type Instance } from '../services/instance.js';
import { type ProgramName, programVariables, type Variables } from '../services/programs.js';
import { type GridNode, type Services } from './grid-services.js';
import {
  BASE,
  LARGE_NODE,
  LARGE_NODE_MEMORY_BYTES,
  machine,
  type NodeNumber,
  SMALL_NODE_MEMORY_BYTES,
} from './machines.js';
import { aim, Member, openWays, through } from './member.js';
import { Namespace } from './namespace.js';

const MIB = 1024 ** 2;
export const API_PORT = '8080';
/** Submitting is what chaos does, and must not be refused for that. */
const RATE_LIMIT_PER_MINUTE = '1000000';
const UIDS_PER_NODE = 1_000;
const FIRST_UID = 1_900_000_000;

/** Which program runs on which machine. */
export const PLACES: readonly { readonly program: ProgramName; readonly on: NodeNumber }[] = [
  { program: 'api', on: 1 },
  { program: 'api', on: 2 },
  { program: 'dispatcher', on: 1 },
  { program: 'dispatcher', on: 2 },
  { program: 'worker', on: 1 },
  { program: 'worker', on: 2 },
  { program: 'worker', on: 3 },
];

export interface MemberOrder {
  readonly name: string;
  readonly program: ProgramName;
  readonly on: NodeNumber;
  readonly index: number;
  readonly services: Services;
  readonly database: DatabaseUrls;
  readonly node: GridNode | undefined;
}

export async function makeMember(order: MemberOrder): Promise<Member> {
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
