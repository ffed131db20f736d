/** Has large builds considered in a thread, which is there only while there are some. */
import { createRequire } from 'node:module';
import { type Consideration } from '#lib/store';
import { IdleThread } from '#lib/config';
import { type ThreadAnswer, type ThreadData, type ThreadRequest } from './consider-thread.js';

/** The compiled program, also where this file is not. */
const PROGRAM = createRequire(import.meta.url).resolve('#thread/consider');
/** Recordings of 64 MiB take about a third of it. Beyond, the build is tried again later. */
const HEAP_MIB = 2048;

export class LargeBuilds {
  private readonly thread: IdleThread<ThreadRequest, ThreadAnswer>;

  constructor(data: ThreadData) {
    this.thread = new IdleThread({ program: PROGRAM, name: 'considering', data, heapMiB: HEAP_MIB });
  }

  /** One at a time. */
  async consider(buildId: string): Promise<Consideration> {
    const answer = await this.thread.ask({ kind: 'consider', buildId });
    if (answer.kind === 'failed') throw answer.error;
    return answer.consideration;
  }

  async end(): Promise<void> {
    await this.thread.end();
  }
}
