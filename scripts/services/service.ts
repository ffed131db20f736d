/** What every private service has in common; stack.ts starts and stops them by it. */
import { type DaemonPlace, type DaemonRecord } from './daemon.js';
import { type Instance } from './instance.js';

export interface PrivateService {
  readonly title: string;
  /** The environment variable with the URL of one to use instead of ours. */
  readonly variable: string;
  /** Where one that is not ours is looked for too. */
  readonly usualUrl?: string;
  readonly place: (instance: Instance) => DaemonPlace;
  /** Returns once it answers, with its URL. `lastPort` is taken again where it is free. */
  readonly start: (instance: Instance, lastPort: number | undefined) => Promise<string>;
  readonly answers: (url: string) => Promise<boolean>;
  readonly stop: (record: DaemonRecord) => Promise<void>;
  /** Undoes what a dead or stopped service leaves on the machine. */
  readonly sweep?: (instance: Instance) => void;
}

/** The one that the environment names; throws when that does not answer. */
export async function givenUrl(service: PrivateService): Promise<string | undefined> {
  const url = process.env[service.variable];
  if (!url) return undefined;
  if (await service.answers(url)) return url;
  throw new Error(`${service.variable} is set, but no ${service.title} answers there; unset it to have a private one.`);
}

/** The one that people have running at the usual place. */
export async function usualUrl(service: PrivateService): Promise<string | undefined> {
  return service.usualUrl !== undefined && (await service.answers(service.usualUrl)) ? service.usualUrl : undefined;
}
