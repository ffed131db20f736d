/** Every error that the API answers with, by code; the code decides the HTTP status. */
import { type StoreError } from '#lib/store';
import { errorMessage, type JobErrorCode, type JobErrorDetails } from '#lib/jobs';

/** Codes of the catalogue of job errors that refuse requests too. Their sentences are the catalogue's. */
export const STATUS_OF_JOB_ERRORS = {
  'level-not-allowed': 403,
  'input-not-allowed': 403,
  'output-not-allowed': 403,
  'image-invalid': 422,
  'profile-required': 422,
  'audit-needs-profile': 422,
  'level-impossible': 422,
  'profile-uncompilable': 422,
  'monitoring-unavailable': 422,
  'internal-error': 500,
  'profile-integrity': 500,
} as const satisfies Partial<Record<JobErrorCode, number>>;

/** All others: no job ends with them. */
export const STATUS_OF_REQUEST_ERRORS = {
  'invalid-request': 400,
  'malformed-request': 400,
  'request-too-complex': 400,
  'idempotency-key-invalid': 400,
  'authentication-required': 401,
  'api-key-invalid': 401,
  'role-required': 403,
  'cross-site-request': 403,
  'four-eyes': 403,
  'priority-not-allowed': 403,
  'not-found': 404,
  'no-recording': 404,
  'method-not-allowed': 405,
  'request-timeout': 408,
  'application-exists': 409,
  'idempotency-conflict': 409,
  'stale-digest': 409,
  'wrong-profile-state': 409,
  'prefix-refused': 409,
  'log-expired': 410,
  'body-too-large': 413,
  'unsupported-media-type': 415,
  'expectation-failed': 417,
  'unknown-application': 422,
  'unknown-secret': 422,
  'reason-required': 422,
  'profile-malformed': 422,
  'too-many-requests': 429,
  'too-many-jobs': 429,
  'too-many-secrets': 429,
  'too-many-proposals': 429,
  'headers-too-large': 431,
  'tenant-storage-full': 507,
  'recording-integrity': 500,
  'secrets-not-kept': 501,
  'database-unavailable': 503,
  overloaded: 503,
} as const satisfies Readonly<Record<string, number>> & { readonly [code in JobErrorCode]?: never };

export const STATUS_BY_CODE = { ...STATUS_OF_REQUEST_ERRORS, ...STATUS_OF_JOB_ERRORS } as const;

export type ErrorCode = keyof typeof STATUS_BY_CODE;
export type RequestErrorCode = keyof typeof STATUS_OF_REQUEST_ERRORS;
export type SharedErrorCode = keyof typeof STATUS_OF_JOB_ERRORS;

export interface ProblemOptions extends ErrorOptions {
  /** What is wrong with the request, one line each. */
  readonly problems?: readonly string[];
  /** Of the answer, such as Retry-After. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** `message` is for the person who must act. */
export class PorinError extends Error {
  readonly code: ErrorCode;
  readonly problems: readonly string[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: RequestErrorCode, message: string, { problems, headers = {}, ...options }: ProblemOptions = {}) {
    super(message, options);
    this.code = code;
    this.problems = problems;
    this.headers = headers;
  }

  /** As JobError.of, for a code of its catalogue. The constructor takes none of them, so that nothing has two sentences. */
  static of<C extends SharedErrorCode>(code: C, details: JobErrorDetails<C>, options?: ProblemOptions): PorinError {
    const shared: ErrorCode = code;
    return new PorinError(shared as RequestErrorCode, errorMessage(code, details), options);
  }

  static ofStore({ code, message }: StoreError): PorinError {
    const shared: ErrorCode = code;
    return new PorinError(shared as RequestErrorCode, message);
  }

  get status(): number {
    return STATUS_BY_CODE[this.code];
  }
}
