/** `npm run bench -- queue`: how fast jobs are taken in, told of and run, and what a long queue changes. */
import { join } from 'node:path';
import { MAXIMUM_PRIORITIES } from '#lib/jobs';
import { median } from '#lib/overhead';
import Docker from 'dockerode';
import { buildTestImage } from '../../scripts/images/build-image.js';
import { startStack, type Stack } from '../../scripts/services/stack.js';
import { stopStack } from '../../scripts/services/stop-stack.js';
import { CACHE_DIR } from '../../scripts/setup/paths.js';
import { type BenchOptions } from '../bench-options.js';
import { emptyDatabase } from '../machine/empty-database.js';
import { readEnvironment } from '../machine/environment.js';
import { createSubmitterKey } from '../machine/submitter-key.js';
import { exitCodeOf, renderChecks } from '../report/checks.js';
import { describeEnvironment, EXIT_PROVES_NOTHING } from '../report/remarks.js';
import { writeJson } from '../report/result-file.js';
import { DockerRunLoad, type Load } from '../throughput/docker-run-load.js';
import { fsyncTimesMs } from './fsync-time.js';
import { HttpLoad, type HttpRequest } from './http-load.js';
import { QueueDatabase } from './queue-database.js';
import {
  ENOUGH_SECONDS,
  type IdleTimes,
  type OpenLoopRun,
  QUEUE_LENGTHS,
  queueChecks,
  type QueueFigures,
  queueResult,
  renderQueue,
  SUBMISSIONS,
  SUBMISSIONS_PER_SECOND,
} from './queue-report.js';
import { residentBytes } from './resident.js';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const CONNECTIONS = 16;
const RUNS = 3;
const SEQUENTIAL = 1_000;
const GET_SECONDS = 20;
/** Jobs that end before those whose rate is measured, and those. */
const DRAIN_WARM_UP = 20;
const DRAINED = 100;
const PAIRS = 20;
const PAIRS_WARM_UP = 3;
/** Thousandths of a core: of the jobs that wait, and of those whose time is measured while nothing else runs. */
const QUEUED_CPU_MILLI = 1_000;
const IDLE_CPU_MILLI = 500;
/** What the node has to give: all; or, beside a job that only sleeps, nothing for the first kind, which it would have room for. */
const NODES = {
  'all-jobs': {},
  'only-small-jobs': {
    PORIN_CPU_MILLI: String(QUEUED_CPU_MILLI),
    // Nobody reserves the node for one of those that wait.
    PORIN_RESERVE_AFTER_MS: String(24 * 3_600_000),
  },
} as const;
const SLEEP_S = 7_200;
/** Asking is what is measured, and must not be refused. */
const UNLIMITED = { PORIN_RATE_LIMIT_PER_MINUTE: '1000000', PORIN_TENANT_RATE_LIMIT_PER_MINUTE: '10000000' };

/** Resolves to the exit code. */
export async function runQueueBench(options: BenchOptions): Promise<number> {
  const { log, queue, seed, stop } = options;
  try {
    const { dockerHost } = await startStack({ instance: 'bench', log, signal: stop });
    const docker = new Docker({ socketPath: dockerHost.replace(/^unix:\/\//, '') });
    const environment = await readEnvironment(docker, seed);
    const { reference } = await buildTestImage({ docker, cacheDir: CACHE_DIR, log });
    const bench = new QueueBench(options, reference);
    const { idleEmpty, ...submissions } = await bench.measureSubmissions();
    const { idleQueued, drain } = await bench.measureLengths();
    const figures = { ...submissions, drain, idle: new Map([...idleEmpty, ...idleQueued]) };
    const result = queueResult(figures);
    const checks = queueChecks(result);
    const path = writeJson('queue', { environment, ...result });
    console.log(`
Jobs of /bin/true, on ${describeEnvironment(environment)}.
Submissions, and tasks of TES, at ${SUBMISSIONS_PER_SECOND} a second over ${CONNECTIONS} connections, latency from when each was due; all programs run, and no job meanwhile.
One job: medians of ${PAIRS} pairs, from the submission to COMPLETE beside a docker run; the others that are queued do not fit beside one that sleeps.

${renderQueue(result, figures)}

${renderChecks(checks)}

Written to ${path}`);
    const provesNothing =
      queue.seconds < ENOUGH_SECONDS || QUEUE_LENGTHS.some((length) => !queue.queued.includes(length));
    if (provesNothing) console.log('This proves nothing: it was shorter than it has to be.');
    return provesNothing ? EXIT_PROVES_NOTHING : exitCodeOf(checks);
  } finally {
    await stopStack('bench', log);
  }
}

/** A stack with its programs, what asks them, and its database. */
interface Running {
  readonly stack: Stack;
  readonly http: HttpLoad;
  readonly database: QueueDatabase;
}

class QueueBench {
  constructor(
    private readonly options: BenchOptions,
    private readonly image: string,
  ) {}

  /** On an empty database, by which the node takes only the jobs whose time is measured. */
  async measureSubmissions(): Promise<Omit<QueueFigures, 'drain' | 'idle'> & { idleEmpty: Map<number, IdleTimes> }> {
    const { log, queue } = this.options;
    await this.#empty();
    return this.#with('only-small-jobs', async ({ stack, http, database }) => {
      const idleEmpty = new Map([[0, await this.#idle(stack, http, database)]]);
      const openLoops = await this.#openLoops(http, 'submissions', this.#submission);
      log('reads');
      const { id } = JSON.parse(await http.send(this.#submission())) as { id: string };
      const read = (): HttpRequest => ({ method: 'GET', path: `/api/v1/jobs/${id}` });
      await http.closedLoop(CONNECTIONS, 1, read);
      const getPerSecond = await http.closedLoop(CONNECTIONS, GET_SECONDS, read);
      log('submissions, one after another');
      const fsyncMs = fsyncTimesMs(join(stack.instance.directory, 'postgres', 'data'));
      const sequentialMs = await http.oneByOne(SEQUENTIAL, this.#submission);
      log(`submissions, up to ${SUBMISSIONS} in all`);
      const missing = SUBMISSIONS - (await database.queued());
      if (missing > 0 && queue.seconds >= ENOUGH_SECONDS) {
        await http.openLoop(SUBMISSIONS_PER_SECOND, missing / SUBMISSIONS_PER_SECOND, this.#submission);
      }
      const resident = residentBytes(stack.instance);
      const tesOpenLoops = await this.#openLoops(http, 'tasks of TES', this.#task);
      log('tasks of TES, one after another');
      const tesSequentialMs = await http.oneByOne(SEQUENTIAL, this.#task);
      return {
        submit: { openLoops, sequentialMs },
        tes: { openLoops: tesOpenLoops, sequentialMs: tesSequentialMs },
        fsyncMs,
        getPerSecond,
        residentBytes: resident,
        idleEmpty,
      };
    });
  }

  async #openLoops(http: HttpLoad, what: string, next: () => HttpRequest): Promise<readonly OpenLoopRun[]> {
    const { log, queue } = this.options;
    const runs: OpenLoopRun[] = [];
    for (let run = 1; run <= RUNS; run++) {
      log(`${what} at a rate, run ${run} of ${RUNS}`);
      runs.push(await http.openLoop(SUBMISSIONS_PER_SECOND, queue.seconds, next));
    }
    return runs;
  }

  /** With more and more jobs queued: how fast they are run, and then, with all of them, how long a single one takes. */
  async measureLengths(): Promise<{ drain: Map<number, number>; idleQueued: Map<number, IdleTimes> }> {
    const { log, queue } = this.options;
    const drain = new Map<number, number>();
    await this.#empty();
    for (const length of queue.queued) {
      if (length > 0) await this.#with('only-small-jobs', (running) => this.#fillUp(running, length));
      const rate = await this.#with('all-jobs', async ({ http, database }) => {
        log(`jobs a second with ${length} queued`);
        const jobs = DRAIN_WARM_UP + DRAINED;
        const ends = database.nextEnds(jobs);
        if (length === 0) await http.closedLoopOf(jobs + CONNECTIONS, CONNECTIONS, this.#submission);
        const measured = (await ends).slice(DRAIN_WARM_UP);
        return (1000 * (measured.length - 1)) / ((measured.at(-1) ?? NaN) - (measured[0] ?? NaN));
      });
      drain.set(length, rate);
    }
    const longest = Math.max(...queue.queued);
    if (longest === 0) return { drain, idleQueued: new Map() };
    const idle = await this.#with('only-small-jobs', async (running) => {
      await this.#fillUp(running, longest);
      return this.#idle(running.stack, running.http, running.database);
    });
    return { drain, idleQueued: new Map([[longest, idle]]) };
  }

  async #fillUp({ http, database }: Running, length: number): Promise<void> {
    const { id } = JSON.parse(await http.send(this.#submission())) as { id: string };
    await database.fillUp(length, id, this.options.log);
  }

  /** By turns, so that a drift of the machine falls on both alike. */
  async #idle({ dockerHost }: Stack, http: HttpLoad, database: QueueDatabase): Promise<IdleTimes> {
    const { log, stop } = this.options;
    const load = this.#load(IDLE_CPU_MILLI);
    const plain = new DockerRunLoad(dockerHost, load, stop);
    const times = { porinMs: [] as number[], dockerRunMs: [] as number[] };
    const turns = [
      async () => {
        const startedAt = Date.now();
        const { id } = JSON.parse(await http.send(submissionOf(load))) as { id: string };
        times.porinMs.push((await database.endOf(id)) - startedAt);
      },
      async () => void times.dockerRunMs.push((await plain.run(1, 1)).ms),
    ];
    log(`one job at a time, beside docker run: ${PAIRS} pairs`);
    for (let pair = 0; pair < PAIRS + PAIRS_WARM_UP; pair++) {
      for (const turn of pair % 2 === 0 ? turns : turns.toReversed()) await turn();
    }
    return {
      porinMs: median(times.porinMs.slice(PAIRS_WARM_UP)),
      dockerRunMs: median(times.dockerRunMs.slice(PAIRS_WARM_UP)),
    };
  }

  readonly #submission = (): HttpRequest => submissionOf(this.#load(QUEUED_CPU_MILLI));

  readonly #task = (): HttpRequest => taskOf(this.#load(QUEUED_CPU_MILLI));

  #load(cpuMilli: number): Load {
    return {
      ...{ image: this.image, command: ['/bin/true'], cpuMilli },
      ...{ memoryBytes: 256 * MIB, diskBytes: 64 * MIB, pids: 1024 },
    };
  }

  async #empty(): Promise<void> {
    const { log, stop } = this.options;
    await stopStack('bench', log, ['api', 'dispatcher', 'worker']);
    await emptyDatabase(await startStack({ instance: 'bench', log, signal: stop }));
  }

  async #besideSleeper<T>(running: Running, work: (running: Running) => Promise<T>): Promise<T> {
    const { http, database } = running;
    const sleeper = {
      ...this.#load(QUEUED_CPU_MILLI - IDLE_CPU_MILLI),
      command: ['/bin/sleep', String(SLEEP_S)] as const,
    };
    // Before all that wait already.
    const submission = submissionOf({ ...sleeper, wallTimeS: SLEEP_S }, MAXIMUM_PRIORITIES.submitter);
    const { id } = JSON.parse(await http.send(submission)) as { id: string };
    await database.untilRunning(id);
    try {
      return await work(running);
    } finally {
      await http.send({ method: 'POST', path: `/api/v1/jobs/${id}/cancel`, body: '{}' });
      await database.untilEnded(id);
    }
  }

  async #with<T>(node: keyof typeof NODES, work: (running: Running) => Promise<T>): Promise<T> {
    const { log, stop } = this.options;
    const variables = { ...UNLIMITED, ...NODES[node] };
    const stack = await startStack({ instance: 'bench', withPrograms: true, variables, log, signal: stop });
    if (!stack.database) throw new Error('the stack has no database');
    const database = await QueueDatabase.open(stack.database.ownerUrl, stop);
    await database.liftBounds();
    const apiKey = createSubmitterKey(stack.database.apiUrl);
    const http = new HttpLoad({ apiUrl: stack.apiUrl ?? '', apiKey, connections: CONNECTIONS, stop });
    try {
      const running = { stack, http, database };
      return await (node === 'all-jobs' ? work(running) : this.#besideSleeper(running, work));
    } finally {
      await http.close();
      await database.close();
    }
  }
}

function submissionOf(
  { image, command, ...resources }: Load & { readonly wallTimeS?: number },
  priority = 0,
): HttpRequest {
  const { cpuMilli, memoryBytes, diskBytes, wallTimeS } = resources;
  const job = { executors: [{ image, command }], resources: { cpuMilli, memoryBytes, diskBytes, wallTimeS }, priority };
  return { method: 'POST', path: '/api/v1/jobs', body: JSON.stringify(job) };
}

/** The same job as a task of GA4GH TES. */
function taskOf({ image, command, cpuMilli, memoryBytes, diskBytes }: Load): HttpRequest {
  const resources = { cpu_cores: cpuMilli / 1000, ram_gb: memoryBytes / GIB, disk_gb: diskBytes / GIB };
  const body = JSON.stringify({ executors: [{ image, command }], resources });
  return { method: 'POST', path: '/ga4gh/tes/v1/tasks', body };
}
