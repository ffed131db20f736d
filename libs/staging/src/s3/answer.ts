/** The XML that S3 services answer with: bounded, without document types, and held to a schema. */
import { XMLParser } from 'fast-xml-parser';
import { z } from 'zod';
import { HttpFailure } from '../failure.js';
import { type HttpAnswer } from '../http/http-client.js';
import { readText } from '../http/read-text.js';

/** A page of a thousand names, each character of them an escape. */
const MAXIMUM_BYTES = 8 * 1024 ** 2;

const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  htmlEntities: true,
  // A key may begin or end with a blank.
  trimValues: false,
  ignoreDeclaration: true,
  isArray: (name) => ['Part', 'Contents', 'CommonPrefixes'].includes(name),
});

/** `root`: the only element that is taken. Throws HttpFailure where the answer is another. */
export async function readAnswer<Schema extends z.ZodType>(
  answer: Pick<HttpAnswer, 'body'>,
  root: string,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const parsed = schema.safeParse(elementOf(await readText(answer, MAXIMUM_BYTES), root));
  if (parsed.success) return parsed.data;
  throw new HttpFailure(`the answer of the server is no ${root}`);
}

const errorAnswer = z.object({ Code: z.string().regex(/^[A-Za-z0-9.]{1,64}$/) });

/** The code of S3 in an error's body; undefined where there is none. Its message may quote anything, and is not passed on. */
export async function readErrorCode(answer: Pick<HttpAnswer, 'body'>): Promise<string | undefined> {
  try {
    return errorAnswer.safeParse(elementOf(await readText(answer, MAXIMUM_BYTES), 'Error')).data?.Code;
  } catch {
    return undefined;
  }
}

/** Of an answer that has said all by its status: the connection serves the next request. */
export async function readToEnd(answer: Pick<HttpAnswer, 'body'>): Promise<void> {
  await readText(answer, MAXIMUM_BYTES);
}

/** Undefined where the text is no XML or has another root. */
function elementOf(text: string, root: string): unknown {
  if (text.includes('<!')) return undefined;
  try {
    const document = parser.parse(text, true) as Record<string, unknown>;
    // An element without children is an empty text.
    return document[root] === '' ? {} : document[root];
  } catch {
    return undefined;
  }
}
