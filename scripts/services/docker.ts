/** The Docker Engine: the one that answers already, or a private one without a bridge. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Docker from 'dockerode';
import { runningDaemon, startDaemon, stopDaemon, waitUntilUp } from './daemon.js';
import { killLeftContainers } from './docker-leftovers.js';
import { daemonPlace, type Instance } from './instance.js';
import { unmountBelow } from './mounts.js';
import { type PrivateService } from './service.js';

const START_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 60_000;

export const docker: PrivateService = {
  title: 'Docker Engine',
  variable: 'DOCKER_HOST',
  usualUrl: 'unix:///var/run/docker.sock',
  place,
  start: (instance) => startEngine(instance),
  answers,
  stop: (record) => stopDaemon(record, STOP_GRACE_MS),
  sweep,
};

function place(instance: Instance) {
  return daemonPlace(instance, 'docker', dataRoot(instance));
}

function dataRoot(instance: Instance): string {
  return join(instance.directory, 'docker');
}

/**
 * Returns its URL. `environment`: the engine's own. After a crash with a running container the first start may fail and the
 * second one works (measured, Docker 20.10).
 */
export async function startEngine(instance: Instance, environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  try {
    return await start(instance, environment);
  } catch {
    const halfStarted = runningDaemon(place(instance));
    if (halfStarted) await stopDaemon(halfStarted, STOP_GRACE_MS);
    sweep(instance);
    return start(instance, environment);
  }
}

function sweep(instance: Instance): void {
  killLeftContainers(instance);
  unmountBelow(instance.directory);
  unmountBelow(instance.runDirectory);
}

async function start(instance: Instance, environment: NodeJS.ProcessEnv): Promise<string> {
  if (process.getuid?.() !== 0) {
    throw new Error(
      'A private Docker Engine needs root: type the same command as root, or set DOCKER_HOST to unix:///path of one that you may use.',
    );
  }
  mkdirSync(dataRoot(instance), { recursive: true, mode: 0o711 });
  const socket = join(instance.runDirectory, 'docker.sock');
  const pidFile = join(instance.runDirectory, 'docker.pid');
  const configFile = join(instance.runDirectory, 'daemon.json');
  rmSync(pidFile, { force: true });
  writeFileSync(configFile, '{}');
  const where = place(instance);
  const command = [
    ...['dockerd', '--data-root', dataRoot(instance), '--exec-root', join(instance.runDirectory, 'exec')],
    ...['--pidfile', pidFile, '--host', `unix://${socket}`],
    ...['--bridge=none', '--iptables=false', '--ip6tables=false'],
    // The machine's own configuration may contradict these options, which ends the engine.
    ...['--config-file', configFile],
    // Not systemd's: a cgroup parent is then a path everywhere.
    ...['--exec-opt', 'native.cgroupdriver=cgroupfs'],
  ];
  const record = startDaemon(where, command, environment);
  const url = `unix://${socket}`;
  await waitUntilUp('The Docker Engine', {
    record,
    logFile: where.logFile,
    timeoutMs: START_TIMEOUT_MS,
    probe: () => answers(url),
  });
  return url;
}

async function answers(url: string): Promise<boolean> {
  if (!url.startsWith('unix://')) throw new Error(`${url}: Porin needs the local socket of an engine, unix:///path`);
  const socketPath = url.slice('unix://'.length);
  if (!existsSync(socketPath)) return false;
  try {
    await new Docker({ socketPath, timeout: 5_000 }).ping();
    return true;
  } catch {
    return false;
  }
}
