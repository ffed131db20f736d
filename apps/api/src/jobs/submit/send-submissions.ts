/** Hands submissions to the database: alone within a transaction, or together with others that come at the same time. */
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { isConflict, isDatabaseAway, rowsOf } from '#lib/database';

/** What `porin.submit_job` answers (libs/database/src/functions/submission.ts). */
export interface SubmissionAnswer {
  readonly outcome: 'stale' | 'known' | 'too-many-jobs' | 'tenant-storage-full' | 'created';
  readonly id: string;
  readonly digest: string;
  readonly createdAt: Date;
  readonly usedBytes: number;
}

/** What it takes; `asOf` is the version of the facts that the submission was held to. */
export interface SentSubmission {
  readonly asOf: string;
  readonly submission: object;
}

export type SendSubmission = (sent: SentSubmission) => Promise<SubmissionAnswer>;

const SUBMIT = `SELECT outcome, job_id AS id, digest, created AS "createdAt", used_bytes AS "usedBytes"
  FROM jsonb_array_elements($1) WITH ORDINALITY AS given (sent, place),
    LATERAL porin.submit_job((sent->>'asOf')::bigint, sent->'submission') ORDER BY place`;

/** As part of a transaction. */
export async function sendSubmission(manager: EntityManager, sent: SentSubmission): Promise<SubmissionAnswer> {
  const [answer]: SubmissionAnswer[] = await manager.query(SUBMIT, [JSON.stringify([sent])]);
  if (!answer) throw new Error('the database did not answer a submission');
  return answer;
}

/** Under way at once: while the database puts one batch on disk, it works on another. */
const BATCHES_MAXIMUM = 2;
const BATCH_MAXIMUM = 32;

interface Waiting {
  readonly sent: SentSubmission;
  readonly resolve: (answer: SubmissionAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A submission that comes alone is sent at once. Those that come while others are under way are sent together when one of
 * these is done: so one statement and one commit do for more submissions, the more there are.
 */
@Injectable()
export class SubmissionBatches {
  #waiting: Waiting[] = [];
  #underWay = 0;

  constructor(private readonly dataSource: DataSource) {}

  /** Committed, when it resolves. */
  readonly send: SendSubmission = (sent) =>
    new Promise((resolve, reject) => {
      this.#waiting.push({ sent, resolve, reject });
      this.#sendNext();
    });

  #sendNext(): void {
    if (this.#underWay >= BATCHES_MAXIMUM || this.#waiting.length === 0) return;
    const batch = this.#waiting.splice(0, BATCH_MAXIMUM);
    this.#underWay += 1;
    void this.#settle(batch).finally(() => {
      this.#underWay -= 1;
      this.#sendNext();
    });
  }

  /** Where the database refuses one of several, none is written, and each is sent alone. */
  async #settle(batch: readonly Waiting[]): Promise<void> {
    try {
      const submissions = JSON.stringify(batch.map(({ sent }) => sent));
      const answers = await rowsOf<SubmissionAnswer>(this.dataSource, SUBMIT, [submissions]);
      for (const [index, answer] of answers.entries()) batch[index]?.resolve(answer);
    } catch (error) {
      if (batch.length === 1 || (isDatabaseAway(error) && !isConflict(error))) {
        for (const { reject } of batch) reject(error);
        return;
      }
      for (const each of batch) await this.#settle([each]);
    }
  }
}
