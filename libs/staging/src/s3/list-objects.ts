/** The objects below a key, page by page (S3 API: ListObjectsV2). */
import { z } from 'zod';
import { HttpFailure } from '../failure.js';
import { readAnswer } from './answer.js';
import { type S3Client } from './s3-client.js';

export interface ListedObject {
  /** Relative to the directory; of whatever form the server likes. */
  readonly name: string;
  readonly bytes: number;
}

const listing = z.object({
  IsTruncated: z.string().optional(),
  NextContinuationToken: z.string().max(4096).optional(),
  Contents: z.array(z.object({ Key: z.string(), Size: z.coerce.number().int().min(0) })).default([]),
});

export interface ListedPage {
  /** Without those that only stand for a directory. */
  readonly objects: readonly ListedObject[];
  /** Of the server's, whatever they stand for. */
  readonly keys: number;
}

/** `open`: for each page, for there may be a long time between two. `directory`: without a slash at its end. */
export async function* listObjects(open: () => S3Client, directory: string): AsyncGenerator<ListedPage, void, void> {
  const prefix = `${directory}/`;
  for (let token: string | undefined; ;) {
    const query = {
      'list-type': '2',
      prefix,
      ...(token !== undefined && { 'continuation-token': token }),
    };
    const page = await readPage(open(), query);
    if (page.Contents.some(({ Key: key }) => !key.startsWith(prefix))) {
      throw new HttpFailure('the server lists objects that it was not asked for');
    }
    const named = page.Contents.map(({ Key: key, Size: bytes }) => ({ name: key.slice(prefix.length), bytes }));
    const objects = named.filter(({ name, bytes }) => name !== '' && !(name.endsWith('/') && bytes === 0));
    yield { objects, keys: named.length };
    if (page.IsTruncated !== 'true') return;
    if (page.NextContinuationToken === undefined || page.NextContinuationToken === token) {
      throw new HttpFailure('the objects cannot be listed');
    }
    token = page.NextContinuationToken;
  }
}

async function readPage(client: S3Client, query: Readonly<Record<string, string>>): Promise<z.infer<typeof listing>> {
  try {
    return await readAnswer(await client.send({ method: 'GET', key: '', query }), 'ListBucketResult', listing);
  } finally {
    await client.close();
  }
}
