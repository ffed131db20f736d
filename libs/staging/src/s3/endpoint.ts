/** Where the objects of a bucket are: the administrator's word, or AWS. */
import { escapeName, longestPrefix, type S3Url } from '#lib/jobs';

export interface S3Endpoint {
  /** Of the objects that it has: `s3://bucket/`, `s3://bucket/a/`. */
  readonly prefix: string;
  /** Origin; that of AWS in the region where absent. */
  readonly endpoint?: string | undefined;
  /** Default us-east-1. */
  readonly region?: string | undefined;
  /** The bucket is the first part of the path, or of the host's name. Default: path, and virtual at AWS. */
  readonly style?: 'path' | 'virtual' | undefined;
}

export interface BucketPlace {
  /** Without a slash at its end. */
  readonly url: string;
  readonly region: string;
  /** An administrator has named the host: its address may be private. */
  readonly isConfigured: boolean;
}

const DEFAULT_REGION = 'us-east-1';

export function bucketPlace({ bucket, origin, parts }: S3Url, endpoints: readonly S3Endpoint[]): BucketPlace {
  const known = longestPrefix([origin, ...parts].join('/'), endpoints);
  const region = known?.region ?? DEFAULT_REGION;
  const base = new URL(known?.endpoint ?? `https://s3.${region}.amazonaws.com`);
  // The certificate of AWS holds for one part before its name.
  const byDefault = known?.endpoint !== undefined || bucket.includes('.') ? 'path' : 'virtual';
  const path = base.pathname.replace(/\/$/, '');
  const url =
    (known?.style ?? byDefault) === 'path'
      ? `${base.origin}${path}/${bucket}`
      : `${base.protocol}//${bucket}.${base.host}${path}`;
  return { url, region, isConfigured: known?.endpoint !== undefined };
}

/** Exactly as it is signed. */
export function objectUrl({ url }: BucketPlace, key: string, query: Readonly<Record<string, string>> = {}): URL {
  const path = key.split('/').map(escapeName).join('/');
  const search = Object.entries(query).map(([name, value]) => `${escapeName(name)}=${escapeName(value)}`);
  return new URL(`${url}/${path}${search.length > 0 ? `?${search.join('&')}` : ''}`);
}
