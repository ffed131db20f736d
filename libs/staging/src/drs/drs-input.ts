/**
 * Inputs from `drs:` URLs (GA4GH DRS 1.5): the server of the URL says where the object is, and that URL is held to the prefixes and
 * the address rules like one that the job has named itself.
 */
import { describePrefixes, type DrsUrl, isUrlAllowed, JobError, parseDataUrl } from '#lib/jobs';
import { type z } from 'zod';
import { HttpFailure } from '../failure.js';
import { isPassingStatus, retrying, Unavailable } from '../http/broken.js';
import { AddressRefused, HttpClient } from '../http/http-client.js';
import { credentialFor, headersOf, HttpCredential } from '../http/http-credential.js';
import { openHttpInput } from '../http/http-input.js';
import { isForGood, isMissingStatus } from '../http/http-status.js';
import { readText } from '../http/read-text.js';
import { type InputSource } from '../inputs/input-source.js';
import { type StagingRules } from '../rules.js';
import { openS3Input } from '../s3/s3-input.js';
import { asAnnounced } from './announced.js';
import { accessHeaders, type AccessUrl, bestMethod, drsAccess, drsObject } from './drs-answer.js';

const ANSWER_BYTES = 1024 ** 2;

export interface DrsInput {
  readonly url: DrsUrl;
  /** As the job has it. */
  readonly text: string;
  /** The container's path, for messages. */
  readonly path: string;
  /** That the job names. */
  readonly sha256?: string | undefined;
}

/** Throws input-not-found, input-refused, input-not-allowed, input-address-refused, HttpFailure, and errors of the network. */
export async function openDrsInput(input: DrsInput, rules: StagingRules, signal: AbortSignal): Promise<InputSource> {
  const details = { url: input.text, path: input.path };
  const client = new HttpClient(rules, signal);
  try {
    const base = `https://${input.url.host}/ga4gh/drs/v1/objects/${encodeURIComponent(input.url.id)}`;
    const ask = <Schema extends z.ZodType>(url: string, schema: Schema) =>
      retrying(() => get(client, input, new URL(url), schema, rules), signal);
    const object = await ask(base, drsObject);
    const method = bestMethod(object);
    if (method === undefined) {
      const detail = 'its DRS server gives no https and no s3 URL for it; bundles are no input';
      throw JobError.of('input-refused', { ...details, detail });
    }
    const access =
      method.access_url ?? (await ask(`${base}/access/${encodeURIComponent(method.access_id ?? '')}`, drsAccess));
    return asAnnounced(await openAccess(access, input, rules, signal), object);
  } catch (error) {
    if (!(error instanceof AddressRefused)) throw error;
    throw JobError.of('input-address-refused', { url: input.text, address: error.address }, { cause: error });
  } finally {
    await client.close();
  }
}

function openAccess(
  access: AccessUrl,
  { path, sha256 }: DrsInput,
  rules: StagingRules,
  signal: AbortSignal,
): Promise<InputSource> {
  const { url: text } = access;
  const { inputPrefixes: prefixes, foreignPrefixes: foreign } = rules;
  const { url } = parseDataUrl(text);
  if (url !== null && isUrlAllowed(text, { prefixes, foreign })) {
    if (url.scheme === 's3') return openS3Input({ url, text, path, sha256 }, rules, signal);
    if (url.scheme === 'https' || url.scheme === 'http') {
      // The server has chosen the URL: no secret of the job is for it.
      const credential = HttpCredential.forOrigin(url.url, accessHeaders(access));
      return openHttpInput({ url: url.url, path, credential, sha256 }, rules, signal);
    }
  }
  throw JobError.of('input-not-allowed', { url: text, detail: describePrefixes(prefixes) });
}

/** A redirect is none of DRS's: the credential would go along. */
async function get<Schema extends z.ZodType>(
  client: HttpClient,
  { text, path }: DrsInput,
  url: URL,
  schema: Schema,
  { credentials }: StagingRules,
): Promise<z.infer<Schema>> {
  const credential = credentialFor(text, credentials);
  const headers = { accept: 'application/json', ...(credential && headersOf(credential)) };
  const answer = await client.request({ url, method: 'GET', headers });
  const { statusCode: status } = answer;
  if (status === 200) {
    const parsed = schema.safeParse(parseJson(await readText(answer, ANSWER_BYTES)));
    if (parsed.success) return parsed.data;
    throw new HttpFailure('the answer of the DRS server is none of DRS');
  }
  answer.discard();
  const detail = `HTTP status ${status} of its DRS server`;
  // 202: the server has the object brought from where it is slow.
  if (status === 202 || isPassingStatus(status)) throw new Unavailable(detail);
  if (isMissingStatus(status)) throw JobError.of('input-not-found', { url: text, path });
  if (isForGood(status)) throw JobError.of('input-refused', { url: text, path, detail });
  throw new HttpFailure(detail);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
