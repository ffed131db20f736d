/** Turns every error into RFC 9457 problem details; the only place that decides an HTTP status. */
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { type Request, type Response } from 'express';
import { type Logger } from 'pino';
import { type ErrorCode, PorinError } from './porin-error.js';

/** What Express and Nest throw on their own, by their names for it. */
const FRAMEWORK_CODES: Readonly<Record<string, ErrorCode>> = {
  'entity.too.large': 'body-too-large',
  'entity.parse.failed': 'malformed-request',
  '400': 'malformed-request',
  '404': 'not-found',
  '413': 'body-too-large',
  '429': 'too-many-requests',
};

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const problem = toPorinError(error);
    // The cause stays in the log: it may hold SQL or addresses.
    if (problem.status >= 500)
      this.logger.error({ err: error, method: request.method, path: request.path }, 'request failed');
    if (response.headersSent) return void response.end();
    response
      .status(problem.status)
      .type('application/problem+json')
      .send(
        JSON.stringify({
          type: `urn:porin:problem:${problem.code}`,
          title: problem.code.replaceAll('-', ' '),
          status: problem.status,
          detail: problem.message,
          code: problem.code,
          ...(problem.problems ? { problems: problem.problems } : {}),
        }),
      );
  }
}

function toPorinError(error: unknown): PorinError {
  if (error instanceof PorinError) return error;
  const { type, message } = error as { type?: unknown; message?: unknown };
  const key = typeof type === 'string' ? type : error instanceof HttpException ? String(error.getStatus()) : '';
  const code = FRAMEWORK_CODES[key];
  if (code) return new PorinError(code, String(message));
  return new PorinError('internal-error', 'Something went wrong on our side; the log of the API has the details.');
}
