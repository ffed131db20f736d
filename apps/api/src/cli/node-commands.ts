/** `porin-admin node add|list|rekey|remove`: the machines that may run workers, and what each may claim. */
import { rmSync, writeFileSync } from 'node:fs';
import {
  addNode,
  Connection,
  type NodeBounds,
  type NodeCredentials,
  nodeVariables,
  pastNodes,
  rekeyNode,
  removeNode,
} from '#lib/database';
import { nodeArchitecture } from '#lib/profiles';
import { type Command, environment, type Given, oneOf, UsageError, withDatabase } from './command.js';

const ACTOR = 'command line';
const ARCHITECTURES = ['x86_64', 'aarch64'] as const;
/** Each bound, and its option. A node without the first three would claim as much as it says, a stolen one all there is. */
const BOUNDS = { slots: 'slots', cpuMilli: 'cpu-milli', memoryBytes: 'memory-bytes', diskBytes: 'disk-bytes' } as const;
const NEEDED = ['slots', 'cpuMilli', 'memoryBytes'] as const satisfies readonly (keyof typeof BOUNDS)[];
const WHERE_TO = {
  out: { type: 'string' },
  'database-url': { type: 'string' },
  'redis-url': { type: 'string' },
} as const;
const WHERE_TO_HELP = [
  '--out <file>            write the environment there, for its owner alone, instead of printing it',
  '--database-url <url>    Postgres as the node reaches it   (default: PORIN_OWNER_DATABASE_URL)',
  '--redis-url <url>       Redis as the node reaches it      (default: PORIN_REDIS_URL)',
];

interface ListedNode {
  readonly name: string;
  readonly architecture: string;
  readonly state: string;
  readonly slots: number | null;
  readonly cpuMilli: number | null;
  readonly memoryBytes: string | null;
  readonly diskBytes: string | null;
  readonly hasCredentials: boolean;
}

export const NODE_COMMANDS: readonly Command[] = [
  {
    words: 'node add',
    operands: ['name'],
    options: {
      slots: { type: 'string' },
      'cpu-milli': { type: 'string' },
      'memory-bytes': { type: 'string' },
      'disk-bytes': { type: 'string' },
      unbounded: { type: 'boolean' },
      architecture: { type: 'string', default: nodeArchitecture(process.arch) },
      ...WHERE_TO,
    },
    help: [
      'make a node: its database role, Redis user and key (PORIN_OWNER_DATABASE_URL); prints the environment of its worker',
      '--slots <number>        jobs that it may hold at once, at most',
      '--cpu-milli <number>    CPU that it may claim, thousandths of a core',
      '--memory-bytes <number> memory that it may claim',
      '--disk-bytes <number>   scratch disk that it may claim (default: as much as it says)',
      '--unbounded             instead of the numbers: as much as it says of itself, for a node that you trust',
      `--architecture <word>   ${ARCHITECTURES.join(', ')} (default: as here)`,
      ...WHERE_TO_HELP,
    ],
    async run(given) {
      const name = given.operands[0] ?? '';
      const architecture = oneOf('architecture', ARCHITECTURES, given.text('architecture')) ?? 'x86_64';
      const bounds = readBounds(given);
      const urls = readUrls(given);
      hand(given, urls, await asOwner((owner) => addNode(owner, { name, architecture, bounds }, ACTOR)));
      console.error(`the node ${name} is added; give its worker this environment`);
    },
  },
  {
    words: 'node list',
    help: ['all nodes: architecture, state, and the most that each may claim'],
    async run() {
      const nodes: ListedNode[] = await withDatabase((manager) =>
        manager.query(
          `SELECT name, architecture, state, maximum_slots AS slots, maximum_cpu_milli AS "cpuMilli",
             maximum_memory_bytes AS "memoryBytes", maximum_disk_bytes AS "diskBytes", role_name IS NOT NULL AS "hasCredentials"
           FROM node ORDER BY name`,
        ),
      );
      for (const node of nodes) console.log(lineOf(node));
    },
  },
  {
    words: 'node rekey',
    operands: ['name'],
    options: WHERE_TO,
    help: ['give a node new passwords and a new key, and end what the old ones opened', ...WHERE_TO_HELP],
    async run(given) {
      const urls = readUrls(given);
      const name = given.operands[0] ?? '';
      hand(given, urls, await asOwner((owner) => rekeyNode(owner, name, ACTOR)));
    },
  },
  {
    words: 'node remove',
    operands: ['name'],
    help: ['take the credentials of a node away at once; what it did stays'],
    async run({ operands: [name = ''] }) {
      await asOwner((owner) => removeNode(owner, name, ACTOR));
    },
  },
];

function lineOf({ name, architecture, state, hasCredentials, ...bounds }: ListedNode): string {
  const most = (Object.keys(BOUNDS) as (keyof typeof BOUNDS)[]).map((bound) => `${bound} ${bounds[bound] ?? 'any'}`);
  return [name, architecture, hasCredentials ? state : 'no credentials', ...most].join('\t');
}

function readBounds({ text, flag }: Given): NodeBounds {
  const entries = Object.entries(BOUNDS).map(([bound, option]) => {
    const given = text(option);
    const value = Number(given);
    if (given !== undefined && (!Number.isSafeInteger(value) || value < 1)) {
      throw new UsageError(`--${option} must be a whole number from 1 on`);
    }
    return [bound, given === undefined ? undefined : value] as const;
  });
  const bounds: NodeBounds = Object.fromEntries(entries);
  const missing = NEEDED.filter((bound) => bounds[bound] === undefined);
  if (flag('unbounded') === missing.length > 0) return bounds;
  const needed = NEEDED.map((bound) => `--${BOUNDS[bound]}`).join(', ');
  throw new UsageError(`say the most that the node may claim by ${needed}, or --unbounded`);
}

interface Urls {
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

/** Before anything is made. */
function readUrls({ text }: Given): Urls {
  const urls = {
    databaseUrl: text('database-url') ?? environment('PORIN_OWNER_DATABASE_URL'),
    redisUrl: text('redis-url') ?? environment('PORIN_REDIS_URL'),
  };
  for (const url of Object.values(urls)) if (!URL.canParse(url)) throw new UsageError('that is no URL');
  return urls;
}

function hand({ text }: Given, urls: Urls, credentials: NodeCredentials): void {
  const lines = Object.entries(nodeVariables(credentials, urls)).map(([name, value]) => `${name}=${value}\n`);
  const path = text('out');
  if (path === undefined) return console.log(lines.join('').trimEnd());
  // An older file may be readable by others, and a mode holds for a new one only.
  rmSync(path, { force: true });
  writeFileSync(path, lines.join(''), { mode: 0o600, flag: 'wx' });
}

async function asOwner<T>(work: (owner: Connection) => Promise<T>): Promise<T> {
  const ownerUrl = environment('PORIN_OWNER_DATABASE_URL');
  const owner = new Connection({ connectionString: ownerUrl, application_name: 'porin-admin' });
  await owner.connect();
  try {
    // A stolen node could hold its row and its role.
    return await pastNodes(ownerUrl, () => work(owner));
  } finally {
    await owner.end();
  }
}
