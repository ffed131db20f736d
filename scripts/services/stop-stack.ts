/** Stops an instance of the stack, and says what of it runs. */
import { existsSync, rmSync } from 'node:fs';
import { type DaemonPlace, type DaemonRecord, runningDaemon } from './daemon.js';
import { type Instance, type InstanceName, lockInstance, makeDirectories, openInstance } from './instance.js';
import { unmountBelow } from './mounts.js';
import { PROGRAMS } from './programs.js';
import { type Log, SERVICES } from './stack.js';
import { describeSupervision, NEVER_ENDED, type Supervision } from './supervision.js';
import { readState, SERVICE_NAMES, type ServiceName, writeState } from './state.js';

interface Stoppable {
  readonly title: string;
  readonly place: (instance: Instance) => DaemonPlace;
  readonly stop: (record: DaemonRecord) => Promise<void>;
  readonly sweep?: (instance: Instance) => void;
  readonly supervision?: (instance: Instance) => Supervision;
}
const ALL: Readonly<Record<ServiceName, Stoppable>> = { ...SERVICES, ...PROGRAMS };

/** Stops `names` of what is ours, the last started first; a second call finds nothing to do. */
export async function stopStack(
  name: InstanceName,
  log: Log = () => undefined,
  names: readonly ServiceName[] = SERVICE_NAMES,
): Promise<void> {
  const instance = openInstance(name);
  if (!existsSync(instance.directory) && !existsSync(instance.runDirectory)) return;
  makeDirectories(instance);
  const release = await lockInstance(instance, log);
  try {
    const state = readState(instance);
    for (const service of SERVICE_NAMES.toReversed()) {
      if (!names.includes(service)) continue;
      await stopService(instance, ALL[service], log);
      delete state.services[service];
      writeState(instance, state);
    }
    if (Object.values(state.services).some(({ ours }) => ours)) return;
    // Removing must not reach through a mount into what it shows.
    unmountBelow(instance.runDirectory);
    rmSync(instance.runDirectory, { recursive: true, force: true });
  } finally {
    await release();
  }
}

async function stopService(instance: Instance, service: Stoppable, log: Log): Promise<void> {
  const daemon = runningDaemon(service.place(instance));
  if (daemon) {
    log(`${service.title}: stopping`);
    await service.stop(daemon);
  }
  service.sweep?.(instance);
}

/** Those of ours whose process runs. */
export function runningServices(name: InstanceName): ServiceName[] {
  const instance = openInstance(name);
  return SERVICE_NAMES.filter((service) => runningDaemon(ALL[service].place(instance)) !== undefined);
}

/** One line per service, for people. */
export function describeStack(name: InstanceName): string[] {
  const instance = openInstance(name);
  const { services } = readState(instance);
  return SERVICE_NAMES.map((service) => {
    const { title, place, supervision } = ALL[service];
    const known = services[service];
    const daemon = runningDaemon(place(instance));
    const address = known?.url ? ` at ${withoutPassword(known.url)}` : '';
    if (daemon) {
      const told = supervision ? supervision(instance) : NEVER_ENDED;
      const more = describeSupervision(told);
      if (told.nextStartAt !== undefined) return `${title}: ${more}; its log is ${place(instance).logFile}`;
      return `${title}: runs${address} (pid ${daemon.pid})${more && `, ${more}`}`;
    }
    if (known) return `${title}: ${known.ours ? 'has ended' : `not ours, used${address}`}`;
    return `${title}: not started`;
  });
}

function withoutPassword(url: string): string {
  const parsed = new URL(url);
  parsed.password = '';
  return parsed.href;
}
