/** Starts, finds and stops the services of an instance; what the environment names by URL is used instead of ours. */
import { rmSync } from 'node:fs';
import { isOurs } from './daemon.js';
import { stopApi } from './api.js';
import { findDocker, startDocker, stopDocker } from './docker.js';
import { type Instance } from './instance.js';
import { startPostgres, stopPostgres } from './postgres.js';
import { startRedis, stopRedis } from './redis.js';
import { readState, removeState, type ServiceName, type ServiceState, type StackState, writeState } from './state.js';

type Log = (message: string) => void;

interface ServiceKind {
  readonly title: string;
  /** A service that is not ours and is to be used. */
  readonly find: () => Promise<ServiceState | undefined>;
  readonly start: (instance: Instance) => Promise<ServiceState>;
  readonly stop: (record: NonNullable<ServiceState['process']>, instance: Instance) => Promise<void>;
}

type BackingName = Exclude<ServiceName, 'api'>;

/** In the order of starting. */
const KINDS: Readonly<Record<BackingName, ServiceKind>> = {
  postgres: {
    title: 'Postgres',
    find: fromEnvironment('PORIN_POSTGRES_URL'),
    start: startPostgres,
    stop: stopPostgres,
  },
  redis: { title: 'Redis', find: fromEnvironment('PORIN_REDIS_URL'), start: startRedis, stop: stopRedis },
  docker: { title: 'Docker Engine', find: findDocker, start: startDocker, stop: stopDocker },
};
const NAMES = Object.keys(KINDS) as BackingName[];

export type Services = Readonly<Record<BackingName, ServiceState>>;

/** Brings up what does not run yet. The state is written after each service, so that a crash loses none. */
export async function startServices(instance: Instance, log: Log): Promise<Services> {
  const state: StackState = readState(instance);
  for (const name of NAMES) {
    const kind = KINDS[name];
    const known = state[name];
    if (known?.process && isOurs(known.process)) {
      log(`${kind.title} runs already`);
      continue;
    }
    const found = await kind.find();
    log(found ? `${kind.title}: using the one that is there` : `${kind.title}: starting`);
    state[name] = found ?? (await kind.start(instance));
    writeState(instance, state);
  }
  return state as Services;
}

/** Stops what is ours, in the opposite order; a second call finds nothing to do. */
export async function stopServices(instance: Instance, log: Log): Promise<void> {
  const state = readState(instance);
  if (state.api?.process) await stopApi(state.api.process);
  for (const name of NAMES.toReversed()) {
    const record = state[name]?.process;
    if (!record || !isOurs(record)) continue;
    log(`${KINDS[name].title}: stopping`);
    await KINDS[name].stop(record, instance);
  }
  removeState(instance);
  rmSync(instance.runDirectory, { recursive: true, force: true });
}

/** One line per service, for people. */
export function describeServices(instance: Instance): string[] {
  const state = readState(instance);
  return ([...NAMES, 'api'] as const).map((name) => {
    const service = state[name];
    const status = !service
      ? 'not started'
      : !service.process
        ? 'not ours, used'
        : isOurs(service.process)
          ? 'runs'
          : 'has ended';
    return `${name === 'api' ? 'API' : KINDS[name].title}: ${status}${service?.process ? ` (pid ${service.process.pid})` : ''}`;
  });
}

function fromEnvironment(variable: string): () => Promise<ServiceState | undefined> {
  return () => {
    const url = process.env[variable];
    return Promise.resolve(url ? { url } : undefined);
  };
}
