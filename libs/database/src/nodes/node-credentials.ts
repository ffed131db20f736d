/** What makes a worker a node: its database role, its Redis user and its key, and the environment that carries them. */
import { createHash, createHmac, generateKeyPairSync, pbkdf2Sync, randomBytes } from 'node:crypto';

export interface NodeCredentials {
  readonly id: string;
  readonly name: string;
  readonly roleName: string;
  readonly databasePassword: string;
  readonly redisPassword: string;
  /** Ed25519: base64 of PKCS#8. */
  readonly privateKey: string;
}
export interface NodePublicPart {
  /** A SCRAM-SHA-256 verifier, so that no log of statements has the password. */
  readonly passwordVerifier: string;
  readonly redisPasswordSha256: string;
  /** Base64 of SPKI. */
  readonly publicKey: string;
}

/** Node names are host names: they stand in names of roles, Redis users and directories. */
const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const PASSWORD_BYTES = 24;
const SCRAM_ITERATIONS = 4096;
/** Of a role's name, with the prefix and the suffix that tells databases of one cluster apart: Postgres cuts off at 63 bytes. */
const ROLE_NAME_CHARACTERS = 40;

/** Null, or what is wrong with it. */
export function nodeNameProblem(name: string): string | null {
  return NODE_NAME.test(name)
    ? null
    : 'a node is named with 1 to 63 letters, digits, dots, hyphens and underscores, and begins with a letter or digit';
}

export function newRoleName(name: string): string {
  const safe = name
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '_')
    .slice(0, ROLE_NAME_CHARACTERS);
  return `porin_node_${safe}_${randomBytes(4).toString('hex')}`;
}

/** As the API makes it (libs/queue/src/node-user.ts). */
function redisUserOf(nodeId: string): string {
  return `node-${nodeId}`;
}

export function generateCredentials(node: Pick<NodeCredentials, 'id' | 'name' | 'roleName'>): {
  secret: NodeCredentials;
  open: NodePublicPart;
} {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const databasePassword = randomBytes(PASSWORD_BYTES).toString('hex');
  const redisPassword = randomBytes(PASSWORD_BYTES).toString('hex');
  return {
    secret: {
      ...node,
      databasePassword,
      redisPassword,
      privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
    },
    open: {
      passwordVerifier: scramVerifier(databasePassword),
      redisPasswordSha256: createHash('sha256').update(redisPassword).digest('hex'),
      publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    },
  };
}

/** For the worker's environment. `databaseUrl` and `redisUrl`: as the node reaches them; whose they are does not matter. */
export function nodeVariables(
  { id, name, roleName, databasePassword, redisPassword, privateKey }: NodeCredentials,
  { databaseUrl, redisUrl }: { databaseUrl: string; redisUrl: string },
): Readonly<Record<string, string>> {
  return {
    PORIN_NODE_NAME: name,
    PORIN_DATABASE_URL: withUser(databaseUrl, roleName, databasePassword),
    PORIN_REDIS_URL: withUser(redisUrl, redisUserOf(id), redisPassword),
    PORIN_NODE_KEY: privateKey,
  };
}

function withUser(url: string, username: string, password: string): string {
  return Object.assign(new URL(url), { username, password }).href;
}

/** RFC 5802 and 7677, as Postgres stores it. The password is ASCII, so SASLprep leaves it as it is. */
function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, SCRAM_ITERATIONS, 32, 'sha256');
  const keyed = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(keyed('Client Key')).digest('base64');
  const serverKey = keyed('Server Key').toString('base64');
  return `SCRAM-SHA-256$${SCRAM_ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
