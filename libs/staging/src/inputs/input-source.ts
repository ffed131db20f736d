/** An input, opened and allowed, before its bytes are taken. */

export interface InputSource {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** As the source announces it; null where it does not. */
  readonly bytes: number | null;
  close(): Promise<void>;
}
