/** Knows the tasks whose submitters may not have got the answer, so that who sends the request again gets the same task. */
import { createHash } from 'node:crypto';
import { type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type Logger } from 'pino';
import { DataSource } from 'typeorm';
import { PorinError } from '../../errors/porin-error.js';
import { staleFacts } from '../../facts/facts.js';
import { LOGGER } from '../../tokens.js';

/** A request for a task, whoever's bytes it came in: equal for equal ones of one principal. */
export interface TaskRequest {
  readonly principalId: string;
  readonly digest: string;
}

export function digestOf(task: object): string {
  return `sha256:${createHash('sha256').update(JSON.stringify(task)).digest('hex')}`;
}

/** Answers that are written within this time are noted by one statement. */
const REST_MS = 20;
/** What could not be noted is tried again after this time. */
const NOTE_AGAIN_MS = 1_000;
/** While an answer may be on its way, it is looked for again after this time; after five seconds it is known (submission.ts). */
const LOOK_AGAIN_MS = 50;
const LOOK_FOR_MS = 7_000;
const PRUNE_MS = 60_000;
/** Beyond the time for which a request may be repeated. */
const PRUNE = `DELETE FROM unanswered_task WHERE asked_at < now() - interval '2 minutes'`;
const FATES = {
  answered: 'DELETE FROM unanswered_task WHERE job_id = ANY ($1::uuid[])',
  lost: 'UPDATE unanswered_task SET is_lost = true WHERE job_id = ANY ($1::uuid[])',
} as const;
type Fate = keyof typeof FATES;

const TAKE = 'SELECT outcome, task_id AS id FROM porin.take_unanswered_task($1, $2, $3)';
interface Taken {
  readonly outcome: 'stale' | 'taken' | 'open' | 'none';
  readonly id: string | null;
}

/** The rows are written with the jobs (porin.submit_job) and are there for every API; what is under way only one API knows. */
@Injectable()
export class UnansweredTasks implements OnApplicationShutdown {
  /** By request: each resolves when it is noted what became of an answer, or there is none. */
  readonly #underWay = new Map<string, Set<Promise<void>>>();
  readonly #noted: Readonly<Record<Fate, string[]>> = { answered: [], lost: [] };
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #prunedAtMs = performance.now();

  constructor(
    private readonly dataSource: DataSource,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** `submit` gives the id of the task that it made; whether its answer is written is found out here. */
  async submit(request: TaskRequest, response: ServerResponse, submit: () => Promise<string>): Promise<string> {
    const submission = submit();
    this.#keep(
      request,
      submission.then(
        (id) => this.#watch(id, response),
        () => undefined,
      ),
    );
    return submission;
  }

  /**
   * The task that an equal request made whose answer was lost; undefined where there is none. Nobody else finds it again, unless
   * `response` is not written either. `asOf`: the version of the facts that the caller is of. Throws request-timeout when the
   * client is gone: it may send the request once more.
   */
  async takeEarlier(request: TaskRequest, response: ServerResponse, asOf: string): Promise<string | undefined> {
    for (const untilMs = performance.now() + LOOK_FOR_MS; performance.now() < untilMs; await sleep(LOOK_AGAIN_MS)) {
      await Promise.all([...(this.#underWay.get(nameOf(request)) ?? [])]);
      await this.write();
      if (response.destroyed) throw new PorinError('request-timeout', 'The client has not waited for the answer.');
      const [found]: [Taken] = await this.dataSource.query(TAKE, [asOf, request.principalId, request.digest]);
      if (found.outcome === 'stale') throw staleFacts();
      if (found.id !== null) this.#keep(request, this.#watch(found.id, response));
      if (found.outcome !== 'open') return found.id ?? undefined;
    }
    return undefined;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.write();
    clearTimeout(this.#timer);
  }

  /** Resolves when all that is known by now is in the database, or could not be written there yet. */
  write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#writeNow());
    return this.#writing;
  }

  #keep(request: TaskRequest, told: Promise<void>): void {
    const name = nameOf(request);
    const all = this.#underWay.get(name) ?? new Set();
    this.#underWay.set(name, all.add(told));
    void told.then(() => {
      all.delete(told);
      if (all.size === 0) this.#underWay.delete(name);
    });
  }

  /** Resolves when it is noted. */
  #watch(id: string, response: ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      const note = (fate: Fate) => {
        response.off('finish', answered).off('close', lost);
        this.#note(fate, id);
        resolve();
      };
      // The system has taken all of it: what becomes of it then, nobody on this side knows.
      const answered = () => note('answered');
      const lost = () => note('lost');
      response.once('finish', answered).once('close', lost);
      if (response.destroyed) lost();
    });
  }

  #note(fate: Fate, id: string): void {
    this.#noted[fate].push(id);
    this.#writeIn(REST_MS);
  }

  #writeIn(ms: number): void {
    this.#timer ??= setTimeout(() => void this.write(), ms).unref();
  }

  /** What an API that ends has not noted is taken for lost, and forgotten after a minute. */
  async #writeNow(): Promise<void> {
    try {
      for (const fate of ['answered', 'lost'] as const) await this.#writeFate(fate);
      if (performance.now() - this.#prunedAtMs < PRUNE_MS) return;
      this.#prunedAtMs = performance.now();
      await this.dataSource.query(PRUNE);
    } catch (error) {
      this.logger.warn({ err: error }, 'it could not be noted which tasks were answered');
    }
  }

  async #writeFate(fate: Fate): Promise<void> {
    const ids = this.#noted[fate].splice(0);
    if (ids.length === 0) return;
    try {
      await this.dataSource.query(FATES[fate], [ids]);
    } catch (error) {
      this.#noted[fate].push(...ids);
      this.#writeIn(NOTE_AGAIN_MS);
      throw error;
    }
  }
}

function nameOf({ principalId, digest }: TaskRequest): string {
  return `${principalId} ${digest}`;
}
