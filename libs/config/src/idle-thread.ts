/** A thread with its own database connection for what takes seconds: started when it is asked, and ended when nobody asks for a minute. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const IDLE_MS = 60_000;
/** A database that hangs must not hang the shutdown. */
const END_MS = 10_000;

/** Asks a thread to close its connections and end. */
export interface EndRequest {
  readonly kind: 'end';
}

export interface IdleThreadOptions {
  /** Of the compiled code: see "imports" in package.json. */
  readonly program: string;
  readonly name: string;
  readonly data: unknown;
  /** Beyond, the thread ends and the question is not answered. */
  readonly heapMiB: number;
}

export class IdleThread<Request, Answer> {
  private thread: Worker | undefined;
  private idle: NodeJS.Timeout | undefined;

  constructor(private readonly options: IdleThreadOptions) {}

  /** One at a time. Rejects when the thread ends without an answer: out of memory, or without a database. */
  async ask(request: Request): Promise<Answer> {
    clearTimeout(this.idle);
    this.thread ??= this.start();
    try {
      return await ask<Request, Answer>(this.thread, request);
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
    thread.postMessage({ kind: 'end' } satisfies EndRequest);
    await exited.catch(() => undefined);
    clearTimeout(timer);
  }

  private start(): Worker {
    const { program, name, data, heapMiB } = this.options;
    const thread = new Worker(program, {
      name,
      workerData: data,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapMiB },
    });
    // Whoever waits for an answer hears of it too.
    thread.on('error', () => undefined);
    thread.once('exit', () => {
      if (this.thread === thread) this.thread = undefined;
    });
    return thread;
  }
}

async function ask<Request, Answer>(thread: Worker, request: Request): Promise<Answer> {
  const over = new AbortController();
  const { signal } = over;
  try {
    const answer = once(thread, 'message', { signal });
    const ended = once(thread, 'exit', { signal }).then(() => Promise.reject(new Error('the thread ended')));
    thread.postMessage(request);
    const [first] = (await Promise.race([answer, ended])) as [Answer];
    return first;
  } finally {
    over.abort();
  }
}
