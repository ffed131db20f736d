/** Has large builds considered in a thread, which is there only while there are some. */
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { type Consideration } from '../../profiles/propose/propose.js';
import { type ThreadAnswer, type ThreadData, type ThreadRequest } from './consider-thread.js';

/** The compiled program, also where this file is not: see "imports" in package.json. */
const PROGRAM = createRequire(import.meta.url).resolve('#thread/consider');
const IDLE_MS = 60_000;
/** A build is considered in some seconds; a database that hangs must not hang the shutdown. */
const END_MS = 10_000;
/** Recordings of 64 MiB take about a third of it. Beyond, the thread ends and the build is tried again later. */
const HEAP_MIB = 2048;

export class LargeBuilds {
  private thread: Worker | undefined;
  private idle: NodeJS.Timeout | undefined;

  constructor(private readonly data: ThreadData) {}

  /** One at a time. */
  async consider(buildId: string): Promise<Consideration> {
    clearTimeout(this.idle);
    this.thread ??= this.start();
    try {
      const answer = await ask(this.thread, { kind: 'consider', buildId });
      if (answer.kind === 'failed') throw answer.error;
      return answer.consideration;
    } finally {
      this.idle = setTimeout(() => void this.end(), IDLE_MS).unref();
    }
  }

  async end(): Promise<void> {
    clearTimeout(this.idle);
    const { thread } = this;
    if (!thread) return;
    this.thread = undefined;
    const timer = setTimeout(() => void thread.terminate(), END_MS);
    const exited = once(thread, 'exit');
    thread.postMessage({ kind: 'end' } satisfies ThreadRequest);
    await exited.catch(() => undefined);
    clearTimeout(timer);
  }

  private start(): Worker {
    const thread = new Worker(PROGRAM, {
      name: 'considering',
      workerData: this.data,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    });
    // Whoever waits for an answer hears of it too.
    thread.on('error', () => undefined);
    thread.once('exit', () => {
      if (this.thread === thread) this.thread = undefined;
    });
    return thread;
  }
}

/** Rejects when the thread ends without an answer: out of memory, or without a database. */
async function ask(thread: Worker, request: ThreadRequest): Promise<ThreadAnswer> {
  const over = new AbortController();
  const { signal } = over;
  try {
    const answer = once(thread, 'message', { signal });
    const ended = once(thread, 'exit', { signal }).then(() => Promise.reject(new Error('the thread ended')));
    thread.postMessage(request);
    const [first] = (await Promise.race([answer, ended])) as [ThreadAnswer];
    return first;
  } finally {
    over.abort();
  }
}
