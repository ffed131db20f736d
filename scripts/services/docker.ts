/** The Docker Engine: the one that answers already, or a private one without a bridge. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import Docker from 'dockerode';
import { type DaemonRecord, isOurs, startDaemon, stopDaemon, waitUntilUp } from './daemon.js';
import { type Instance } from './instance.js';
import { type ServiceState } from './state.js';

const DEFAULT_SOCKET = '/var/run/docker.sock';
const START_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 60_000;

export async function findDocker(): Promise<ServiceState | undefined> {
  const given = process.env.DOCKER_HOST;
  const socket = given === undefined ? DEFAULT_SOCKET : given.replace(/^unix:\/\//, '');
  if (await answers(socket)) return { url: `unix://${socket}` };
  if (given !== undefined) throw new Error(`DOCKER_HOST is ${given}, but no engine answers there`);
  return undefined;
}

export async function startDocker(instance: Instance): Promise<ServiceState> {
  const dataRoot = join(instance.directory, 'docker');
  const socket = join(instance.runDirectory, 'docker.sock');
  const pidFile = join(instance.runDirectory, 'docker.pid');
  const logFile = join(instance.logDirectory, 'docker.log');
  mkdirSync(dataRoot, { recursive: true, mode: 0o711 });
  if (existsSync(pidFile)) {
    const orphan = { pid: Number(readFileSync(pidFile, 'utf8')), mark: dataRoot };
    if (isOurs(orphan)) await stopDocker(orphan, instance);
  }
  const start = async (): Promise<ServiceState> => {
    rmSync(pidFile, { force: true });
    const record = startDaemon({
      command: 'dockerd',
      args: [
        ...['--data-root', dataRoot, '--exec-root', join(instance.runDirectory, 'exec'), '--pidfile', pidFile],
        ...['--host', `unix://${socket}`, '--bridge=none', '--iptables=false', '--ip6tables=false'],
      ],
      mark: dataRoot,
      logFile,
    });
    await waitUntilUp('The Docker Engine', {
      record,
      logFile,
      timeoutMs: START_TIMEOUT_MS,
      probe: () => answers(socket),
    });
    return { url: `unix://${socket}`, process: record };
  };
  // After a crash with a running container the first start fails and the second one works (measured, Docker 20.10).
  return start().catch(start);
}

/** Ends the engine and undoes the mounts that it may leave below its data root. */
export async function stopDocker(record: DaemonRecord, instance: Instance): Promise<void> {
  await stopDaemon(record, STOP_GRACE_MS);
  unmountBelow(instance.directory);
  unmountBelow(instance.runDirectory);
}

export function unmountBelow(directory: string): void {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    // mountinfo writes a space as \040 (proc(5)).
    .map((path) => path.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(parseInt(octal, 8))))
    .filter((path) => path.startsWith(`${directory}/`));
  for (const path of mounts.reverse()) execFileSync('umount', ['--lazy', path]);
}

async function answers(socketPath: string): Promise<boolean> {
  if (!existsSync(socketPath)) return false;
  try {
    await new Docker({ socketPath, timeout: 5_000 }).ping();
    return true;
  } catch {
    return false;
  }
}
