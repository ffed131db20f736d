/** Starts an instance of the stack: private services, or those the environment names, and the programs on them. */
import { runningDaemon } from './daemon.js';
import { type DatabaseUrls, prepareDatabase, prepareNode } from './database.js';
import { docker } from './docker.js';
import { type Instance, type InstanceName, lockInstance, makeDirectories, openInstance } from './instance.js';
import { postgres } from './postgres.js';
import {
  dataDirectories,
  nodeName,
  programFingerprint,
  PROGRAMS,
  type ProgramName,
  type ProgramSources,
  programVariables,
  type Variables,
} from './programs.js';
import { redis } from './redis.js';
import { givenUrl, type PrivateService, usualUrl } from './service.js';
import { readState, type ServiceName, type ServiceState, type StackState, writeState } from './state.js';

export type Log = (message: string) => void;

/** In the order of starting. */
export const SERVICES = { postgres, redis, docker } as const satisfies Partial<Record<ServiceName, PrivateService>>;
export const BACKING_NAMES = ['postgres', 'redis', 'docker'] as const;
export const PROGRAM_NAMES = ['api', 'dispatcher', 'worker'] as const satisfies readonly ProgramName[];

export interface StackOptions {
  readonly instance: InstanceName;
  /** Whether the programs are started on the services; not by default. */
  readonly withPrograms?: boolean;
  /** Variables for the programs, over those this module sets (libs/config names them all). */
  readonly variables?: Variables;
  readonly log?: Log;
  /** Looked at between the services, so that an interrupted start ends soon. */
  readonly signal?: AbortSignal;
}

export interface Stack {
  readonly instance: Instance;
  /** Superuser. */
  readonly postgresUrl: string;
  readonly redisUrl: string;
  /** `unix:///path` */
  readonly dockerHost: string;
  /** Undefined when no program was asked for: then nothing was migrated. */
  readonly database: DatabaseUrls | undefined;
  readonly apiUrl: string | undefined;
  /** `file:` inputs and outputs of jobs may lie below these, unless the environment names others. */
  readonly dataDirectories: { readonly inputs: string; readonly outputs: string };
  /** What this call has started; the rest ran already or is not ours. */
  readonly started: readonly ServiceName[];
}

/** Brings up what does not run yet; of two calls at once the second waits. */
export async function startStack(options: StackOptions): Promise<Stack> {
  if (options.withPrograms && process.getuid?.() !== 0) {
    throw new Error(
      'A worker needs root: it mounts scratch file systems and loads BPF. Type the same command as root.',
    );
  }
  const instance = openInstance(options.instance);
  makeDirectories(instance);
  const release = await lockInstance(instance, options.log);
  try {
    return await new StackStart(instance, options).run();
  } finally {
    await release();
  }
}

/** The state is written after each service, so that a crash loses none. */
class StackStart {
  readonly #state: StackState;
  readonly #started: ServiceName[] = [];

  constructor(
    private readonly instance: Instance,
    private readonly options: StackOptions,
  ) {
    this.#state = readState(instance);
  }

  async run(): Promise<Stack> {
    for (const name of BACKING_NAMES) await this.#bringUpService(name, SERVICES[name]);
    const database = this.options.withPrograms ? await this.#bringUpPrograms() : undefined;
    return {
      instance: this.instance,
      postgresUrl: this.#url('postgres'),
      redisUrl: this.#url('redis'),
      dockerHost: this.#url('docker'),
      database,
      apiUrl: this.#state.services.api?.url,
      dataDirectories: dataDirectories(this.instance),
      started: this.#started,
    };
  }

  async #bringUpPrograms(): Promise<DatabaseUrls> {
    const database = await prepareDatabase(this.instance, this.#url('postgres'));
    const sources = {
      database,
      node: await this.#prepareNode(database),
      redisUrl: this.#url('redis'),
      dockerHost: this.#url('docker'),
      extra: this.options.variables ?? {},
    };
    for (const name of PROGRAM_NAMES) await this.#bringUpProgram(name, sources);
    return database;
  }

  #prepareNode(database: DatabaseUrls): Promise<Variables> {
    const { variables = {} } = this.options;
    const name = variables.PORIN_NODE_NAME ?? process.env.PORIN_NODE_NAME ?? nodeName(this.instance);
    return prepareNode(this.instance, name, { database, redisUrl: this.#url('redis') });
  }

  async #bringUpService(name: ServiceName, service: PrivateService): Promise<void> {
    this.options.signal?.throwIfAborted();
    const daemon = runningDaemon(service.place(this.instance));
    const known = this.#state.services[name];
    const given = await givenUrl(service);
    if (given === undefined && daemon && known?.ours && (await service.answers(known.url))) return;
    // Ours without a known address, or hung, or no longer wanted.
    if (daemon) await service.stop(daemon);
    const found = given ?? (await usualUrl(service));
    if (found !== undefined) {
      this.#log(`${service.title}: using the running one`);
      this.#remember(name, { url: found, ours: false });
    } else {
      this.#log(`${service.title}: starting`);
      service.sweep?.(this.instance);
      this.#remember(name, { url: await service.start(this.instance, this.#state.ports[name]), ours: true });
    }
  }

  async #bringUpProgram(name: ProgramName, sources: ProgramSources): Promise<void> {
    this.options.signal?.throwIfAborted();
    const program = PROGRAMS[name];
    const variables = programVariables(this.instance, name, sources);
    const fingerprint = programFingerprint(variables);
    const daemon = runningDaemon(program.place(this.instance));
    const known = this.#state.services[name];
    const runs = daemon !== undefined && program.supervision(this.instance).nextStartAt === undefined;
    if (runs && known?.fingerprint === fingerprint && (await program.answers(known.url))) return;
    this.#log(`${program.title}: ${daemon ? 'starting anew with its present code and settings' : 'starting'}`);
    if (daemon) await program.stop(daemon);
    const url = await program.start(this.instance, variables, sources, this.#state.ports[name]);
    this.#remember(name, { url, ours: true, fingerprint });
  }

  #remember(name: ServiceName, service: ServiceState): void {
    this.#state.services[name] = service;
    if (service.ours) {
      this.#started.push(name);
      const port = URL.canParse(service.url) ? Number(new URL(service.url).port) : 0;
      if (port > 0) this.#state.ports[name] = port;
    }
    writeState(this.instance, this.#state);
  }

  #url(name: ServiceName): string {
    return this.#state.services[name]?.url ?? '';
  }

  #log(message: string): void {
    this.options.log?.(message);
  }
}
