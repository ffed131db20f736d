/** An input, opened and allowed, before its bytes are taken. */
import { type CachedFile } from '../cache/cached-file.js';
import { type Version } from '../cache/version.js';

export interface InputSource {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** As the source announces it; null where it does not. */
  readonly bytes: number | null;
  close(): Promise<void>;
  /** What its server says of it; absent where nothing of it is to be kept. */
  readonly version?: Version | undefined;
  /** Its bytes are this file's, and were not fetched. */
  readonly cached?: CachedFile | undefined;
}
