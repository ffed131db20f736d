/** Knows the tasks whose submitters may not have got the answer, so that who sends the request again gets the same task. */
import { createHash } from 'node:crypto';
import { type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type Logger } from 'pino';
import { DataSource } from 'typeorm';
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
/** While an answer may be on its way, it is looked for again after this time; after a second it is known (submission.ts). */
const LOOK_AGAIN_MS = 50;
const LOOK_FOR_MS = 2_000;
const PRUNE_MS = 60_000;
/** Beyond the time for which a request may be repeated. */
const PRUNE = `DELETE FROM unanswered_task WHERE created_at < now() - interval '2 minutes'`;
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
  readonly #underWay = new Map<string, Set<Promise<unknown>>>();
  #noted: Record<Fate, string[]> = { answered: [], lost: [] };
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
    const id = await this.#whileUnderWay(nameOf(request), submission);
    this.#watch(id, response);
    return id;
  }

  /**
   * The task that an equal request made whose answer was lost; undefined where there is none. Nobody else finds it again.
   * `asOf`: the version of the facts that the caller is of.
   */
  async takeEarlier({ principalId, digest }: TaskRequest, asOf: string): Promise<string | undefined> {
    await Promise.allSettled([...(this.#underWay.get(nameOf({ principalId, digest })) ?? [])]);
    for (const untilMs = performance.now() + LOOK_FOR_MS; performance.now() < untilMs; await sleep(LOOK_AGAIN_MS)) {
      await this.write();
      const [found]: [Taken] = await this.dataSource.query(TAKE, [asOf, principalId, digest]);
      if (found.outcome === 'stale') throw staleFacts();
      if (found.outcome !== 'open') return found.id ?? undefined;
    }
    return undefined;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.write();
  }

  /** Resolves when all that is known by now is in the database, or cannot be written there. */
  write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const noted = this.#noted;
    this.#noted = { answered: [], lost: [] };
    this.#writing = this.#writing.then(() => this.#writeNow(noted));
    return this.#writing;
  }

  async #whileUnderWay<T>(name: string, submission: Promise<T>): Promise<T> {
    const all = this.#underWay.get(name) ?? new Set();
    this.#underWay.set(name, all.add(submission));
    try {
      return await submission;
    } finally {
      all.delete(submission);
      if (all.size === 0) this.#underWay.delete(name);
    }
  }

  #watch(id: string, response: ServerResponse): void {
    if (response.destroyed) return this.#note('lost', id);
    let fate: Fate = 'lost';
    // The system has taken all of it: what becomes of it then, nobody on this side knows.
    response.once('finish', () => (fate = 'answered')).once('close', () => this.#note(fate, id));
  }

  #note(fate: Fate, id: string): void {
    this.#noted[fate].push(id);
    this.#timer ??= setTimeout(() => void this.write(), REST_MS).unref();
  }

  /** What cannot be noted is taken for lost, and forgotten after a minute. */
  async #writeNow(noted: Readonly<Record<Fate, readonly string[]>>): Promise<void> {
    try {
      for (const fate of ['answered', 'lost'] as const) {
        if (noted[fate].length > 0) await this.dataSource.query(FATES[fate], [noted[fate]]);
      }
      if (performance.now() - this.#prunedAtMs < PRUNE_MS) return;
      this.#prunedAtMs = performance.now();
      await this.dataSource.query(PRUNE);
    } catch (error) {
      this.logger.warn({ err: error }, 'it could not be noted which tasks were answered');
    }
  }
}

function nameOf({ principalId, digest }: TaskRequest): string {
  return `${principalId} ${digest}`;
}
