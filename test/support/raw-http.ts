/** HTTP by hand, for what clients hide: when the answer comes, what was read until then, and whether the connection ends. */
import { createConnection, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RawAnswer {
  /** 0 where none came. */
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export class RawConnection {
  #received = '';
  #closed = false;

  private constructor(private readonly socket: Socket) {
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => (this.#received += text));
    socket.on('close', () => (this.#closed = true));
    // What was written after the other side had closed.
    socket.on('error', () => undefined);
  }

  static async open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const socket = createConnection({ host: hostname, port: Number(port), noDelay: true });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawConnection(socket);
  }

  get received(): string {
    return this.#received;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes that the kernel has taken and the server may not have read. */
  get bytesWritten(): number {
    return this.socket.bytesWritten;
  }

  send(text: string | Buffer): void {
    this.socket.write(text);
  }

  /** Lines with their ends, and the empty one behind them. */
  sendHead(...lines: readonly string[]): void {
    this.send(`${[...lines, 'Host: test'].join('\r\n')}\r\n\r\n`);
  }

  /** Waits for a whole answer; throws after `withinMs`. "100 Continue" is none. */
  async answer(withinMs = 10_000): Promise<RawAnswer> {
    return this.until(() => parse(this.#received), 'an answer', withinMs);
  }

  async close(withinMs = 10_000): Promise<void> {
    await this.until(() => (this.#closed ? true : undefined), 'the end of the connection', withinMs);
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Ends the connection with a reset, as a client that crashes. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Takes in nothing more of what comes. */
  stopReading(): void {
    this.socket.pause();
  }

  private async until<T>(look: () => T | undefined, what: string, withinMs: number): Promise<T> {
    for (const deadline = performance.now() + withinMs; performance.now() < deadline; await sleep(10)) {
      const found = look();
      if (found !== undefined) return found;
    }
    throw new Error(`${what} did not come within ${withinMs} ms; there is ${JSON.stringify(this.#received)}`);
  }
}

/** Undefined as long as something of it is missing. */
function parse(received: string): RawAnswer | undefined {
  const text = received.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const body = text.slice(end + 4);
  if (Buffer.byteLength(body) < Number(headers['content-length'] ?? 0)) return undefined;
  return { status: Number(first.split(' ')[1] ?? 0), headers, body };
}
