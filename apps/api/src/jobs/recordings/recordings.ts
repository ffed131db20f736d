/** Reads recordings for the API: small ones at once, large ones in a thread, one after another, so that no other request waits for them. */
import { createRequire } from 'node:module';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type ApiConfig, IdleThread } from '#lib/config';
import { DataSource } from 'typeorm';
import { PorinError } from '../../errors/porin-error.js';
import { API_CONFIG } from '../../tokens.js';
import { findRecordedRun, recordingText } from './read-recording.js';
import { type RecordingQuery } from './recording-answers.js';
import { type ReadAnswer, type ReadRequest } from './recording-thread.js';

/** The compiled program, also where this file is not. */
const PROGRAM = createRequire(import.meta.url).resolve('#thread/recording');
const HEAP_MIB = 1024;
/** Read within some ten milliseconds. */
const SMALL_BYTES = 256 * 1024;
/** Each takes seconds at most. */
const WAITING_MAXIMUM = 16;
const RETRY_AFTER_S = 5;

@Injectable()
export class Recordings implements OnApplicationShutdown {
  private readonly thread: IdleThread<ReadRequest, ReadAnswer>;
  private waiting = 0;
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly dataSource: DataSource,
    @Inject(API_CONFIG) config: ApiConfig,
  ) {
    const data = { databaseUrl: config.PORIN_DATABASE_URL };
    this.thread = new IdleThread({ program: PROGRAM, name: 'recordings', data, heapMiB: HEAP_MIB });
  }

  /** As JSON. Throws no-recording, recording-integrity and overloaded. */
  async read(jobId: string, query: RecordingQuery): Promise<Uint8Array> {
    const { manager } = this.dataSource;
    const { runId, bytes } = await findRecordedRun(manager, jobId, query);
    return bytes <= SMALL_BYTES ? recordingText(manager, runId) : this.readLarge(runId);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.last.catch(() => undefined);
    await this.thread.end();
  }

  private async readLarge(runId: string): Promise<Uint8Array> {
    if (this.waiting >= WAITING_MAXIMUM) {
      const headers = { 'Retry-After': String(RETRY_AFTER_S) };
      throw new PorinError('overloaded', `Too many recordings are being read. Try again in ${RETRY_AFTER_S} s.`, {
        headers,
      });
    }
    this.waiting += 1;
    const ask = () => this.thread.ask({ kind: 'read', runId });
    const answered = this.last.then(ask, ask);
    this.last = answered;
    try {
      const answer = await answered;
      if (answer.kind === 'refused') throw new PorinError(answer.code, answer.message);
      if (answer.kind === 'failed') throw answer.error;
      return answer.text;
    } finally {
      this.waiting -= 1;
    }
  }
}
