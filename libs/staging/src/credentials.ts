/** What opens the URLs below a prefix. It exists in a worker's memory only, for one attempt: never in a log, an error or a file. */

interface Below {
  /** As a tenant's allowed prefixes are written: `s3://bucket/a/`, `https://host/`, `drs://host/`. */
  readonly prefix: string;
}

export interface S3Credential extends Below {
  readonly kind: 's3';
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}
export interface BearerCredential extends Below {
  readonly kind: 'bearer';
  readonly token: string;
}
export interface BasicCredential extends Below {
  readonly kind: 'basic';
  readonly user: string;
  readonly password: string;
}
/** Of requests over HTTP, beside what the transfer sends itself. */
export interface HeadersCredential extends Below {
  readonly kind: 'headers';
  readonly headers: Readonly<Record<string, string>>;
}

export type Credential = S3Credential | BearerCredential | BasicCredential | HeadersCredential;
