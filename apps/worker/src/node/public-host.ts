/** Whether a host, of a registry that no administrator named, is on the public internet. */
import { lookup } from 'node:dns/promises';
import { within } from '#lib/jobs';
import { classifyAddress } from '#lib/staging';

const TIMEOUT_MS = 15_000;

/**
 * All of its addresses must be. The engine asks the name server again by itself: a name whose answers change between the two
 * can still lead elsewhere (docs/security-model.md). Rejects where no address is found in time.
 */
export async function isPublicHost(host: string): Promise<boolean> {
  const found = await within(lookup(host, { all: true }), TIMEOUT_MS, tooLate);
  return found.length > 0 && found.every(({ address }) => classifyAddress(address) === 'global');
}

function tooLate(): Error {
  return new Error('the name server did not answer in time');
}
