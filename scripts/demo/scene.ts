/** What every step of the demo works with. */
import type Docker from 'dockerode';
import { type ApiClient } from './api-client.js';

export interface Scene {
  readonly apiUrl: string;
  /** API keys, for clients that are not ours. */
  readonly keys: Readonly<Record<'admin' | 'submitter', string>>;
  readonly admin: ApiClient;
  readonly submitter: ApiClient;
  readonly docker: Docker;
  /** Host directories of this demo, below those that jobs may read from and write to. */
  readonly inputs: string;
  readonly outputs: string;
  readonly signal: AbortSignal;
  /** The next step's heading. */
  readonly title: (text: string) => void;
  readonly print: (line?: string) => void;
  /** Ids of all jobs submitted, so that an interrupted demo can cancel them. */
  readonly submitted: string[];
  /** What was not as told; the demo fails when there is anything here. */
  readonly problems: string[];
}

/** The story cannot go on; its message is for the person who watches. */
export class StoryError extends Error {
  override readonly name = 'StoryError';
}
