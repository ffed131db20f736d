/** Reads what the checks of a node look at beside the engine: the file system, the clocks and the node's users. */
import { readFile, statfs } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { type EngineFacts, scratchBytes } from '#lib/execution';
import { type NodeReadings } from './check-node.js';

/** The host's own files, also where the worker is in a container with the host's processes (`pid: host`). */
const ROOTS = ['/proc/1/root', ''];

export async function readNode(options: {
  readonly engine: EngineFacts;
  readonly workDirectory: string;
  readonly recorderProblem: string | undefined;
  readonly databaseTimeMs: () => Promise<number>;
}): Promise<NodeReadings> {
  const { workDirectory, recorderProblem, databaseTimeMs } = options;
  const { isPodman, version, runcVersion, cores, memoryBytes } = options.engine;
  const [disk, taken, clockAheadMs, changelog, ...userIds] = await Promise.all([
    statfs(workDirectory),
    scratchBytes(workDirectory),
    clockAhead(databaseTimeMs),
    hostFile('/usr/share/doc/runc/changelog.Debian.gz').then(unpacked),
    ...['/etc/subuid', '/etc/subgid', '/etc/passwd', '/etc/group'].map(async (path) =>
      (await hostFile(path)).toString('utf8'),
    ),
  ]);
  const [subuid = '', subgid = '', passwd = '', group = ''] = userIds;
  return {
    recorderProblem,
    dockerVersion: isPodman ? undefined : version,
    // An engine that does not say is not held to it.
    engineCores: cores ?? Infinity,
    engineMemoryBytes: memoryBytes ?? Infinity,
    runc: runcVersion === undefined ? undefined : { version: runcVersion, changelog },
    diskForJobsBytes: disk.bavail * disk.bsize + taken,
    clockAheadMs,
    userIds: { subuid, subgid, passwd, group },
  };
}

/** The database answered somewhere between the two. */
async function clockAhead(databaseTimeMs: () => Promise<number>): Promise<number> {
  const before = Date.now();
  const database = await databaseTimeMs();
  return (before + Date.now()) / 2 - database;
}

/** Empty where there is no such file. */
async function hostFile(path: string): Promise<Buffer> {
  for (const root of ROOTS) {
    const contents = await readFile(`${root}${path}`).catch(() => undefined);
    if (contents) return contents;
  }
  return Buffer.alloc(0);
}

async function unpacked(compressed: Buffer): Promise<string> {
  return (await promisify(gunzip)(compressed, { maxOutputLength: 4 * 1024 ** 2 }).catch(() => '')).toString();
}
