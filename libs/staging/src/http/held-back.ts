/**
 * Leaves the bytes of an answer in their connection while nobody takes them. undici's own way, to pause its parser, is never to
 * be needed: version 7 ends the process where a connection ends meanwhile (nodejs/undici#5360), which any server can do to us.
 */
import { type Socket } from 'node:net';
import { type Readable } from 'node:stream';

/** Of one answer, in memory. */
const MAXIMUM_BYTES = 512 * 1024;

/** For `request`'s `highWaterMark`: its parser never pauses. */
export const NEVER_PAUSED = Number.MAX_SAFE_INTEGER;

/** Of a client that takes one answer at a time. */
export class HeldBack {
  /** Of all origins: an earlier one may serve a later request. */
  readonly #sockets = new Set<Socket>();
  #body: Readable | undefined;

  /** Before undici reads from it. */
  watch(socket: Socket): void {
    const read = socket.read.bind(socket);
    socket.read = (size?: number): unknown => (this.#isFull ? null : read(size));
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  /** The body that comes next. */
  follow(body: Readable): void {
    this.#body = body;
  }

  /** After some of it was taken. */
  goOn(): void {
    if (!this.#isFull) for (const socket of this.#sockets) socket.emit('readable');
  }

  get #isFull(): boolean {
    // One that was broken off keeps what it had: nobody takes that, and the next answer waits behind it.
    return this.#body?.destroyed === false && this.#body.readableLength >= MAXIMUM_BYTES;
  }
}
