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

/** `directory`: without a slash at its end. Objects that only stand for a directory are left out. */
export async function* listObjects(client: S3Client, directory: string): AsyncGenerator<ListedObject, void, void> {
  const prefix = `${directory}/`;
  for (let token: string | undefined; ;) {
    const query = {
      'list-type': '2',
      prefix,
      ...(token !== undefined && { 'continuation-token': token }),
    };
    const page = await readAnswer(await client.send({ method: 'GET', key: '', query }), 'ListBucketResult', listing);
    for (const { Key: key, Size: bytes } of page.Contents) {
      if (!key.startsWith(prefix)) throw new HttpFailure('the server lists objects that it was not asked for');
      const name = key.slice(prefix.length);
      if (name !== '' && !(name.endsWith('/') && bytes === 0)) yield { name, bytes };
    }
    if (page.IsTruncated !== 'true') return;
    if (page.NextContinuationToken === undefined || page.NextContinuationToken === token) {
      throw new HttpFailure('the objects cannot be listed');
    }
    token = page.NextContinuationToken;
  }
}
