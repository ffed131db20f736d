/** What a route answers with: one zod schema that its return type, its response and its documentation are held to. */
import { applyDecorators, SerializeOptions, type StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiResponse, type ApiResponseOptions } from '@nestjs/swagger';
import { z } from 'zod';
import { type ErrorCode, STATUS_BY_CODE } from '../errors/porin-error.js';

/** RFC 9457, with the code that decides the rest and, for a request with several problems, one line each. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(Object.keys(STATUS_BY_CODE) as [ErrorCode, ...ErrorCode[]]),
    problems: z.array(z.string()).optional(),
  })
  .meta({ id: 'Problem' });

/** As clients of TES are told it, beside the members of RFC 9457; without them where the request could not be read. */
export const tesProblemSchema = problemSchema
  .extend({
    message: z.string().optional().describe('What is wrong, with every problem'),
    msg: z.string().optional().describe('The same'),
    status_code: z.int().optional(),
  })
  .meta({ id: 'TesProblem' });

type ProblemName = 'Problem' | 'TesProblem';

/** What may be wrong with any request before a route is asked. */
const EVERY_ROUTE: readonly ErrorCode[] = [
  'malformed-request',
  'request-timeout',
  'headers-too-large',
  'internal-error',
];
const EVERY_ROUTE_WITH_A_KEY: readonly ErrorCode[] = [
  'invalid-request',
  'authentication-required',
  'api-key-invalid',
  'role-required',
  'cross-site-request',
  'body-too-large',
  'unsupported-media-type',
  'expectation-failed',
  'too-many-requests',
  'database-unavailable',
  'overloaded',
];
/** Of every route that takes a body. */
export const BODY_ERRORS: readonly ErrorCode[] = ['request-too-complex'];

interface Answer<Schema extends z.ZodType> {
  readonly summary: string;
  readonly schema: Schema;
  readonly status?: 200 | 201;
  /** Beyond those that every route has. */
  readonly errors?: readonly ErrorCode[];
  /** For a route that needs no key. */
  readonly open?: boolean;
  /** The schema of its problems. */
  readonly problem?: ProblemName;
}

declare const OF: unique symbol;
/** JSON text that whoever made it has held to the schema: it is sent as it is. The route sets its media type. */
export type Finished<Schema extends z.ZodType> = string & { readonly [OF]: Schema };

export function finished<Schema extends z.ZodType>(json: string): Finished<Schema> {
  return json as Finished<Schema>;
}

/** A file holds what was passed through the schema elsewhere. */
type Handler<Schema extends z.ZodType> = (
  ...args: never[]
) => Promise<z.input<Schema> | Finished<Schema> | StreamableFile> | z.input<Schema>;

/**
 * Nest passes what the method returns through the schema: what is not documented is not sent, and what does not fit is an
 * error of ours.
 */
export function Answers<Schema extends z.ZodType>(answer: Answer<Schema>) {
  const { summary, schema, status = 200, errors = [], open = false, problem = 'Problem' } = answer;
  const decorate = applyDecorators(
    SerializeOptions({ schema }),
    ApiOperation({ summary }),
    ApiResponse({ status, standardSchema: schema }),
    ...problems([...(open ? [] : EVERY_ROUTE_WITH_A_KEY), ...EVERY_ROUTE, ...errors], problem),
  );
  return <T extends Handler<Schema>>(target: object, key: string, descriptor: TypedPropertyDescriptor<T>): void =>
    void decorate(target, key, descriptor as TypedPropertyDescriptor<unknown>);
}

/** For a route whose answer is not JSON of ours; `headers` by name, with what they say. */
export function AnswersBytes(options: {
  readonly summary: string;
  readonly mediaType: 'text/plain' | 'application/gzip';
  readonly headers?: Readonly<Record<string, string>>;
  readonly errors: readonly ErrorCode[];
}) {
  const headers: NonNullable<ApiResponseOptions['headers']> = {};
  for (const [name, description] of Object.entries(options.headers ?? {})) {
    headers[name] = { description, schema: { type: 'string' } };
  }
  return applyDecorators(
    ApiOperation({ summary: options.summary }),
    ApiResponse({
      status: 200,
      headers,
      content: { [options.mediaType]: { schema: { type: 'string', format: 'binary' } } },
    }),
    ...problems([...EVERY_ROUTE_WITH_A_KEY, ...EVERY_ROUTE, ...options.errors]),
  );
}

const RETRY_AFTER = { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' as const } } };
/** What a problem's answer has beside its body, by status. */
const PROBLEM_HEADERS: Readonly<Record<number, NonNullable<ApiResponseOptions['headers']>>> = {
  401: { 'WWW-Authenticate': { description: 'Bearer; of TES routes, Basic too', schema: { type: 'string' } } },
  429: RETRY_AFTER,
  503: RETRY_AFTER,
};

/** One response a status, naming its codes. */
function problems(codes: readonly ErrorCode[], name: ProblemName = 'Problem'): MethodDecorator[] {
  const statuses = [...new Set(codes.map((code) => STATUS_BY_CODE[code]))].sort();
  return statuses.map((status) =>
    ApiResponse({
      status,
      description: [...new Set(codes)].filter((code) => STATUS_BY_CODE[code] === status).join(', '),
      ...(PROBLEM_HEADERS[status] && { headers: PROBLEM_HEADERS[status] }),
      content: { 'application/problem+json': { schema: { $ref: `#/components/schemas/${name}` } } },
    }),
  );
}
