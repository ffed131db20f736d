/** What a route answers with: one zod schema that its return type, its response and its documentation are held to. */
import { applyDecorators, SerializeOptions } from '@nestjs/common';
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

const EVERY_ROUTE: readonly ErrorCode[] = ['too-many-requests', 'internal-error'];
const EVERY_ROUTE_WITH_A_KEY: readonly ErrorCode[] = ['invalid-request', 'authentication-required', 'api-key-invalid'];
/** Of every route that takes a body. */
export const BODY_ERRORS: readonly ErrorCode[] = ['malformed-request', 'body-too-large'];

interface Answer<Schema extends z.ZodType> {
  readonly summary: string;
  readonly schema: Schema;
  readonly status?: 200 | 201;
  /** Beyond those that every route has. */
  readonly errors?: readonly ErrorCode[];
  /** For a route that needs no key. */
  readonly open?: boolean;
}

type Handler<Schema extends z.ZodType> = (...args: never[]) => Promise<z.input<Schema>> | z.input<Schema>;

/**
 * Nest passes what the method returns through the schema: what is not documented is not sent, and what does not fit is an
 * error of ours.
 */
export function Answers<Schema extends z.ZodType>(answer: Answer<Schema>) {
  const { summary, schema, status = 200, errors = [], open = false } = answer;
  const decorate = applyDecorators(
    SerializeOptions({ schema }),
    ApiOperation({ summary }),
    ApiResponse({ status, standardSchema: schema }),
    ...problems([...(open ? [] : EVERY_ROUTE_WITH_A_KEY), ...EVERY_ROUTE, ...errors]),
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

/** One response a status, naming its codes. */
function problems(codes: readonly ErrorCode[]): MethodDecorator[] {
  const statuses = [...new Set(codes.map((code) => STATUS_BY_CODE[code]))].sort();
  return statuses.map((status) =>
    ApiResponse({
      status,
      description: codes.filter((code) => STATUS_BY_CODE[code] === status).join(', '),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    }),
  );
}
