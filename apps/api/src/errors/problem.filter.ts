/** Turns every error into RFC 9457 problem details; the only place that decides an HTTP status. */
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { isDatabaseAway } from '#lib/database';
import { StoreError } from '#lib/store';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Logger } from 'pino';
import { sendProblem } from '../http/send-problem.js';
import { databaseUnavailable } from './database-unavailable.js';
import { PorinError, type RequestErrorCode } from './porin-error.js';

/** What Fastify and Nest throw on their own, by status. */
const FRAMEWORK_CODES: Readonly<Record<number, RequestErrorCode>> = {
  400: 'malformed-request',
  404: 'not-found',
};

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const problem = toPorinError(error);
    // The cause stays in the log: it may hold SQL or addresses.
    if (problem.status >= 500)
      this.logger.error({ err: error, method: request.method, path: request.originalUrl }, 'request failed');
    if (reply.raw.headersSent) return void reply.raw.end();
    sendProblem(request, reply, problem);
  }
}

function toPorinError(error: unknown): PorinError {
  if (error instanceof PorinError) return error;
  if (error instanceof StoreError) return PorinError.ofStore(error);
  if (isDatabaseAway(error)) return databaseUnavailable(error);
  const status = error instanceof HttpException ? error.getStatus() : (error as { statusCode?: unknown }).statusCode;
  const code = typeof status === 'number' ? FRAMEWORK_CODES[status] : undefined;
  if (code) return new PorinError(code, String((error as { message?: unknown }).message));
  return PorinError.of('internal-error', { detail: 'the log of the API has the details.' });
}
