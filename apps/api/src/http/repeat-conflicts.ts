/** Does the work of a request again where its transaction met another one and the database has undone it: a deadlock is nobody's fault. */
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { isConflict } from '#lib/database';
import { type Observable, retry, throwError, timer } from 'rxjs';

const TIMES = 3;
/** Between two tries, and as much again with each, so that the same two do not meet again. */
const PAUSE_MS = 20;

@Injectable()
export class RepeatConflicts implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const again = (error: unknown, times: number) =>
      isConflict(error) ? timer(Math.random() * PAUSE_MS * times) : throwError(() => error);
    return next.handle().pipe(retry({ count: TIMES, delay: again }));
  }
}
