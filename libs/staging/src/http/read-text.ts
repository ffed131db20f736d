/** An answer's body as text, bounded. */
import { HttpFailure } from '../failure.js';
import { type HttpAnswer } from './http-client.js';

/** Throws HttpFailure beyond the bound. */
export async function readText({ body }: Pick<HttpAnswer, 'body'>, maximumBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maximumBytes) throw new HttpFailure('the answer of the server is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
