/** What a server says of the bytes at a URL, and whether they are still what the cache has. */
import { type StoredFile } from '../stored-file.js';

export interface Version {
  /** As it was asked. */
  readonly url: URL;
  /** A strong one. */
  readonly etag: string | undefined;
  /** Neither a credential nor a query was shown to get them. */
  readonly isOpen: boolean;
}

/** To a request that showed what the job has to show. */
export interface VersionAnswer {
  readonly statusCode: number;
  readonly etag: string | undefined;
  /** Null where the server does not say. */
  readonly bytes: number | null;
}

/** What was at a URL when it was last fetched. */
export class KnownVersion {
  constructor(
    private readonly file: StoredFile,
    private readonly etag: string | null,
  ) {}

  /** Of a request that wants the bytes only where they are others (RFC 9110, section 13.1.2). */
  get headers(): Readonly<Record<string, string>> {
    return this.etag === null ? {} : { 'if-none-match': this.etag };
  }

  /** Whether the answer says that these are the bytes. `sha256`: that the job names, if it does. */
  isStill({ statusCode, etag, bytes }: VersionAnswer, sha256: string | undefined): boolean {
    if (statusCode === 304) return this.etag !== null;
    if (statusCode !== 200 || (bytes !== null && bytes !== this.file.bytes)) return false;
    return (this.etag !== null && etag === this.etag) || sha256 === this.file.sha256;
  }
}
