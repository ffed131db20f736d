/** What staging tells of a file. */

/** The bytes as they were stored or sent. */
export interface StoredFile {
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
}
