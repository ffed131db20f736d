/** The environment of the API, the dispatcher and the worker: every variable, its meaning, default and check. */
import { isIP } from 'node:net';
import { cpus, hostname, totalmem } from 'node:os';
import { imagePatternProblem, urlPrefixProblem } from '#lib/jobs';
import { beyondDefaultNames } from '#lib/profiles';
import { z } from 'zod';

const GIB = 1024 ** 3;

const integer = (minimum: number, maximum: number) => z.coerce.number().int().min(minimum).max(maximum);
const url = (...protocols: string[]) =>
  z.string().refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), {
    error: `must be a URL starting with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  });
const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
/** A list separated by commas; empty text is the empty list. */
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry.length > 0),
);
/** A malformed prefix would allow nothing, and every job would fail by it. */
const urlPrefixes = list.superRefine((prefixes, context) => {
  for (const prefix of prefixes) {
    const problem = urlPrefixProblem(prefix);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  }
});
/** An address, or one with the length of its network's prefix. */
function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || address.includes('%')) return false;
  if (prefix === undefined) return true;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128);
}
/** As RFC 6454 serialises it: scheme, host and port, and nothing behind. */
function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
function isPage(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text);
}
/** Where buckets are, as JSON: a prefix is a whole bucket or a part of one. */
const s3Endpoints = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'must be JSON' });
      return z.NEVER;
    }
  })
  .pipe(
    z.array(
      z.strictObject({
        prefix: z.string().superRefine((prefix, context) => {
          const problem = /^s3:/i.test(prefix) ? urlPrefixProblem(prefix) : 'must be an s3: URL';
          if (problem !== null) context.addIssue({ code: 'custom', message: problem });
        }),
        endpoint: z
          .string()
          .refine((text) => isOrigin(text.replace(/\/$/, '')), 'must be written https://host or http://host:port')
          .optional(),
        region: z
          .string()
          .regex(/^[a-z0-9-]{1,64}$/)
          .optional(),
        style: z.enum(['path', 'virtual']).optional(),
      }),
    ),
  );
const absolutePath = z.string().regex(/^\//, 'must be an absolute path');

/** Patterns of images or registries; unset is told apart from an empty list. */
const imagePatterns = list
  .superRefine((patterns, context) => {
    for (const pattern of patterns) {
      const problem = imagePatternProblem(pattern);
      if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    }
  })
  .optional();

function pick<T extends object, const K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.map((name) => [name, from[name]])) as Pick<T, K>;
}

const shared = {
  PORIN_REDIS_URL: url('redis:', 'rediss:').describe(
    'Redis for BullMQ, with password. Keep it on loopback or use rediss:',
  ),
  PORIN_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('Least severe log line written'),
  PORIN_INPUT_URL_PREFIXES: urlPrefixes
    .default([])
    .describe(
      'URL prefixes that inputs may come from, separated by commas (file:///data/in/,https://archive.example.org/)',
    ),
  PORIN_BEYOND_DEFAULT: list
    .default([])
    .transform((entries, context) => {
      try {
        return beyondDefaultNames(entries);
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
        return z.NEVER;
      }
    })
    .describe(
      "System calls, or families of them, that programs may make beyond the container engine's default, separated by commas (numa). The same for the API, the dispatcher and all workers",
    ),
  PORIN_IMAGE_REGISTRIES: imagePatterns.describe(
    'Registries that images may come from, separated by commas: registry.example.org, 10.0.0.5:5000, docker.io/library/*; * allows every one with a public address. A worker without it pulls nothing; the API shows it to tenants',
  ),
  PORIN_LOCAL_IMAGES: imagePatterns.describe(
    'Images of a node that jobs may run without a registry, by name, separated by commas: lab/*, porin-test/payload; * allows all that no registry gave. A worker without it allows none; the API shows it to tenants',
  ),
  PORIN_OUTPUT_URL_PREFIXES: urlPrefixes
    .default([])
    .describe('URL prefixes that outputs may go to, separated by commas'),
};

/** Of the programs that decide about profiles. */
const approving = {
  PORIN_DATABASE_URL: url('postgres:', 'postgresql:').describe('Postgres as the role porin_api'),
  PORIN_SIGNING_KEY_FILE: absolutePath.describe('Ed25519 private key (PKCS#8 PEM) that signs approvals; mode 0600'),
  PORIN_APPROVAL_PUBLIC_KEY_FILE: absolutePath
    .optional()
    .describe(
      'Public keys whose earlier approvals still count beside those of the signing key: as for workers. Needed after a change of the signing key, until everything is signed anew',
    ),
  PORIN_SECRETS_KEY_FILE: absolutePath
    .optional()
    .describe(
      'Keys that secrets of tenants are encrypted under, a line of base64 for each (openssl rand -base64 32), the first of which encrypts; mode 0600. The same for the API and the dispatcher; without it, there are no secrets',
    ),
};

export const apiVariables = z.object({
  ...shared,
  ...approving,
  PORIN_OWNER_DATABASE_URL: url('postgres:', 'postgresql:')
    .optional()
    .describe('Postgres as the owner of the schema; only "porin-admin migrate" and "porin-admin node" need it'),
  PORIN_HOST: z.string().default('127.0.0.1').describe('Address the API listens on'),
  PORIN_PORT: integer(0, 65535).default(8080).describe('Port the API listens on; 0 picks a free one'),
  PORIN_BODY_LIMIT_BYTES: integer(1024, 256 * 1024 ** 2)
    .default(4 * 1024 ** 2)
    .describe('Largest request body, bytes'),
  PORIN_RATE_LIMIT_PER_MINUTE: integer(1, 1_000_000).default(6_000).describe('Requests per minute and API key'),
  PORIN_TENANT_RATE_LIMIT_PER_MINUTE: integer(1, 10_000_000)
    .default(30_000)
    .describe('Requests per minute of all keys of a tenant together'),
  PORIN_WRONG_KEY_LIMIT_PER_MINUTE: integer(1, 1_000_000)
    .default(600)
    .describe('Requests with a wrong key per minute and client address (of IPv6, its first 64 bits)'),
  PORIN_OPEN_FILES_LIMIT_PER_MINUTE: integer(1, 1_000_000)
    .default(300)
    .describe('Requests for /openapi.json and the files of /docs, per minute and client address'),
  PORIN_TRUSTED_PROXIES: list
    .default([])
    .refine((entries) => entries.every(isNetwork), { error: 'must be addresses and networks, such as 10.0.0.0/8' })
    .describe(
      'Addresses and networks of reverse proxies whose X-Forwarded-For is believed, separated by commas (127.0.0.1,10.0.0.0/8)',
    ),
  PORIN_CORS_ORIGINS: list
    .default([])
    .refine((origins) => origins.every(isOrigin), {
      error: 'must be origins as browsers send them, such as https://portal.example.org',
    })
    .describe(
      'Origins of web pages that may ask the API, separated by commas (https://portal.example.org). Without it, none may',
    ),
  PORIN_ORGANIZATION_NAME: z
    .string()
    .default('Porin')
    .describe("Who runs the grid, for clients that ask what it is (GA4GH's service-info)"),
  PORIN_ORGANIZATION_URL: z
    .string()
    .refine(isPage, { error: 'must be an http or https URL' })
    // Clients refuse a URL that has no host.
    .default('https://porin.invalid')
    .describe('A page of theirs'),
  PORIN_REQUEST_TIMEOUT_MS: integer(1_000, 3_600_000)
    .default(60_000)
    .describe(
      'How long a request may take to arrive, body included, and how long a client may take in nothing of an answer, milliseconds; headers get 10 s at most',
    ),
});

export const dispatcherVariables = z.object({
  ...pick(shared, ['PORIN_REDIS_URL', 'PORIN_LOG_LEVEL', 'PORIN_BEYOND_DEFAULT']),
  ...approving,
  PORIN_LEADER_LEASE_MS: integer(500, 600_000)
    .default(5_000)
    .describe(
      'Lease of the dispatcher that leads, milliseconds: so long after it froze or lost the database another one takes over',
    ),
  PORIN_LOOK_MS: integer(20, 60_000)
    .default(1_000)
    .describe(
      'How often the dispatcher looks for what nothing woke it for, milliseconds; its slower duties follow in proportion',
    ),
  PORIN_RESERVE_AFTER_MS: integer(0, 86_400_000)
    .default(60_000)
    .describe('After which a job that fits on no node has one reserved for it, milliseconds'),
  PORIN_USAGE_HALF_LIFE_MS: integer(60_000, 31_536_000_000)
    .default(3_600_000)
    .describe('In which what a tenant has had of the grid counts half, milliseconds'),
  PORIN_DISPATCHER_HEARTBEAT_FILE: absolutePath
    .optional()
    .describe('A file that the dispatcher touches whenever it has heard from the database, for a health check'),
  PORIN_CLAIM_PATIENCE_MS: integer(100, 3_600_000)
    .default(10_000)
    .describe(
      'How long a node may leave a job unclaimed that it has room for before the job is placed again, milliseconds',
    ),
  PORIN_RETRY_PAUSE_MS: integer(0, 86_400_000)
    .default(10_000)
    .describe('Pause after a failure of ours before the second attempt, milliseconds; six times that before the third'),
  PORIN_PUBLICATION_TIMEOUT_MS: integer(1_000, 2_592_000_000)
    .default(86_400_000)
    .describe(
      'How long after its payload a job waits for a node that can put its outputs in place, milliseconds; then it ends "publication-incomplete"',
    ),
  PORIN_RETENTION_DAYS: integer(1, 36_500).default(90).describe('Days that logs and traces are kept'),
  PORIN_RECORDING_RETENTION_DAYS: integer(1, 36_500)
    .default(180)
    .describe('Days that recordings are kept which no profile version stands on'),
  PORIN_JOB_RETENTION_DAYS: integer(1, 36_500)
    .default(730)
    .describe('Days that ended jobs are kept, with what was measured of them, unless a profile version stands on them'),
});

export const workerVariables = z.object({
  ...shared,
  PORIN_DATABASE_URL: url('postgres:', 'postgresql:').describe(
    'Postgres as the role of this node, which "porin-admin node add" makes',
  ),
  PORIN_NODE_KEY: z
    .base64()
    .min(1)
    .describe('Ed25519 private key of this node (base64 of PKCS#8), which "porin-admin node add" makes'),
  PORIN_NODE_NAME: z.string().min(1).default(hostname()).describe('Name of this node, unique in the grid'),
  DOCKER_HOST: z
    .string()
    .regex(/^unix:\/\/\//, 'must be unix:///path: Porin bind-mounts host paths, so the engine must be local')
    .default('unix:///var/run/docker.sock')
    .describe('The Docker Engine (or Podman compatible) socket of this node'),
  PORIN_WORK_DIR: absolutePath.describe('Host directory for inputs, outputs and scratch of running attempts'),
  PORIN_RUN_DIR: absolutePath
    .refine((path) => path.length <= 50, 'must be at most 50 characters: socket paths below it are bounded by 108')
    .describe('Short host directory for control sockets'),
  PORIN_NATIVE_DIR: absolutePath.describe('Host directory with porin-init and porin-recorder'),
  PORIN_APPROVAL_PUBLIC_KEY_FILE: absolutePath.describe(
    'Ed25519 public keys (SPKI PEM) that approvals must verify against: a file with one or more, or a directory of *.pem files. It is read again for every job',
  ),
  PORIN_SLOTS: integer(1, 256).default(Math.max(1, cpus().length)).describe('Jobs at once, at most'),
  PORIN_CPU_MILLI: integer(100, 10_000_000)
    .default(cpus().length * 1000)
    .describe('CPU to share among jobs, thousandths of a core'),
  PORIN_MEMORY_BYTES: integer(16 * 1024 ** 2, 2 ** 50)
    .default(Math.floor(totalmem() * 0.8))
    .describe('Memory to share among jobs, bytes'),
  PORIN_DISK_BYTES: integer(16 * 1024 ** 2, 2 ** 53)
    .default(20 * GIB)
    .describe('Scratch disk to share among jobs, bytes'),
  PORIN_BASE_UID: integer(1000, 2_147_000_000)
    // Above what useradd and systemd give to users, to their subordinates and to containers (up to 1879048191).
    .default(1_900_000_000)
    .describe('First uid of the slots; slot n runs as base + n. No user may have it, nor have it as a subordinate uid'),
  PORIN_OUTPUT_UID: integer(0, 2 ** 32 - 2)
    .optional()
    .describe('Owner of published files that replace no other; without it, the user of the worker'),
  PORIN_OUTPUT_GID: integer(0, 2 ** 32 - 2)
    .optional()
    .describe('Their group; without it, that of the worker, or of the directory where it hands its group down'),
  PORIN_OUTPUT_MODE: z
    .string()
    .regex(/^0?[0-7]{3}$/, 'must be three octal digits, such as 644')
    .default('644')
    .transform((text) => parseInt(text, 8))
    .describe('Their mode, octal. Users who may read a file may also execute it if the payload made it executable'),
  PORIN_LOG_LIMIT_BYTES: integer(1024, 1024 ** 3)
    .default(10 * 1024 ** 2)
    .describe('Bytes kept of each of stdout and stderr'),
  PORIN_TRACE_MAXIMUM_BYTES: integer(64 * 1024, 1024 ** 3)
    .default(64 * 1024 ** 2)
    .describe('Bytes of one trace, compressed, at which it is cut; the payload goes on'),
  PORIN_DENIAL_STORM_PER_S: integer(100, 1_000_000_000)
    .default(10_000)
    .describe('Refused calls a second at which a payload only repeats what it is refused'),
  PORIN_DENIAL_STORM_S: integer(1, 86_400)
    .default(10)
    .describe('Seconds of that, one after another, after which it is stopped; never where onDenial is "report"'),
  PORIN_INPUT_LIMIT_BYTES: integer(1024, 2 ** 53)
    .default(100 * GIB)
    .describe('Largest single input, bytes'),
  PORIN_JOB_INPUTS_LIMIT_BYTES: integer(1024, 2 ** 53)
    .default(100 * GIB)
    .describe('All inputs of one job together, as they lie on the node: archives unpacked; bytes'),
  PORIN_INPUT_CACHE_BYTES: integer(0, 2 ** 53)
    .default(10 * GIB)
    .describe(
      'Inputs over the network that are kept for later jobs of the same tenant, bytes below PORIN_WORK_DIR; less where its disk is needed. 0 keeps none',
    ),
  PORIN_TRANSFER_LEAST_BYTES_PER_S: integer(1, 2 ** 40)
    .default(64 * 1024)
    .describe(
      'Bytes a second that an input or output over the network must move on average, beyond its first five minutes; a slower one is ended and tried again',
    ),
  PORIN_ALLOW_PRIVATE_ADDRESSES: flag
    .default(false)
    .describe('Let http(s) inputs and outputs reach private, loopback and link-local addresses'),
  PORIN_TRANSFER_CA_FILE: absolutePath
    .optional()
    .describe('Certificates (PEM) of authorities that inputs and outputs trust beside the public ones'),
  PORIN_S3_ENDPOINTS: s3Endpoints
    .optional()
    .describe(
      'Where buckets are, a JSON list of {prefix, endpoint, region, style}: [{"prefix":"s3://lab/","endpoint":"https://s3.example.org","region":"us-east-1","style":"path"}]. The longest prefix counts; buckets without one are at AWS. Named endpoints may have private addresses. The same for all workers',
    ),
  PORIN_LEASE_MS: integer(1_000, 600_000)
    .default(30_000)
    .describe('Lease on an attempt, milliseconds; renewed every sixth of it'),
  PORIN_SELF_CHECK_MS: integer(1_000, 3_600_000)
    .default(60_000)
    .describe(
      'How often the worker looks whether something is wrong with its node, milliseconds; every tenth time it asks the engine too',
    ),
  PORIN_DRAIN_MS: integer(0, 86_400_000)
    .default(600_000)
    .describe('How long SIGTERM waits for running jobs, milliseconds'),
  PORIN_IMAGE_LIMIT_BYTES: integer(1024 ** 2, 2 ** 53)
    .default(20 * GIB)
    .describe("Largest image, unpacked, and the most that one pull may take of the engine's disk, bytes"),
  PORIN_IMAGE_FREE_BYTES: integer(0, 2 ** 53)
    .default(GIB)
    .describe("Bytes of the engine's disk that a pull must leave free"),
  PORIN_IMAGE_PULL_TIMEOUT_MS: integer(1_000, 86_400_000)
    .default(1_800_000)
    .describe('How long one pull may take, milliseconds; a node pulls one image at a time'),
  PORIN_IMAGE_KEEP_COUNT: integer(1, 10_000).default(20).describe('Pulled images kept on this node'),
});
