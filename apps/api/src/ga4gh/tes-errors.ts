/** How errors are told to clients of TES, which has no schema for them: the members that its servers and clients are used to. */
import { type PorinError } from '../errors/porin-error.js';

const TES_PATH = /^\/(ga4gh\/tes|v1|service-info)(?=[/?]|$)/;

/** Whether clients of TES ask there, for a route or in vain. `target`: a path with its query. */
export function isTesPath(target: string): boolean {
  return TES_PATH.test(target);
}

/** They have Basic where they have no tokens. */
const CHALLENGES = 'Bearer realm="porin", Basic realm="porin", charset="UTF-8"';

/**
 * `msg` and `status_code` are what GA4GH's other services answer with, `message` what Funnel does; all of them beside those of
 * RFC 9457. Clients show one text, so it has every problem.
 */
export function asTesError({ message, problems = [], status }: PorinError) {
  const text = [message, ...problems].join(' ');
  return {
    members: { message: text, msg: text, status_code: status },
    headers: status === 401 ? { 'WWW-Authenticate': CHALLENGES } : {},
  };
}
