/** Jobs over HTTP: submit, look at, list, read their logs, cancel, repeat. */
import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Res,
  StreamableFile,
} from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiResponse } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Authenticator } from '../auth/authenticate.js';
import { ActsByKeptFacts, type Caller, CurrentCaller } from '../auth/caller.js';
import { type ErrorCode, PorinError } from '../errors/porin-error.js';
import { staleFacts } from '../facts/facts.js';
import { SubmissionFacts } from '../facts/submission-facts.js';
import { nextOf } from '../http/page.js';
import { Answers, AnswersBytes, BODY_ERRORS, finished } from '../openapi/answers.js';
import { cancelJob } from './cancel-job.js';
import { describeNewJob } from './show/describe-new-job.js';
import { findJob, listJobs } from './show/find-jobs.js';
import { type SubmissionPlace, type Submitter, type WrittenJob } from './submit/insert-job.js';
import {
  jobDetail,
  jobList,
  jobListQuery,
  type JobListQuery,
  logQuery,
  type LogQuery,
  traceQuery,
  type TraceQuery,
} from './show/job-answers.js';
import { type JobRequest, jobSchema } from './submit/job-schema.js';
import { readJob } from './show/read-job.js';
import { LOG_ANSWER_BYTES, readLog } from './show/read-log.js';
import { readTrace } from './show/read-trace.js';
import { recordingAnswer, recordingQuery, type RecordingQuery } from './recordings/recording-answers.js';
import { Recordings } from './recordings/recordings.js';
import { rerunJob } from './submit/rerun-job.js';
import { SubmissionBatches } from './submit/send-submissions.js';
import { SUBMISSION_ERRORS } from './submit/submission-errors.js';
import { submitJob } from './submit/submit-job.js';

const idSchema = z.uuid();
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
const IDEMPOTENCY_HEADER = {
  name: 'Idempotency-Key',
  required: false,
  description: 'The same key gives the same job, with status 200',
};
const SEEN_BEFORE = { status: 200, description: 'The Idempotency-Key was seen before', standardSchema: jobDetail };
/** Of every route that makes a job. */
const MAKING_ERRORS: readonly ErrorCode[] = [
  ...(['idempotency-key-invalid', 'idempotency-conflict'] as const),
  ...SUBMISSION_ERRORS,
];

@ApiBearerAuth()
@Controller('api/v1/jobs')
export class JobsController {
  readonly #place: SubmissionPlace;

  constructor(
    private readonly dataSource: DataSource,
    private readonly authenticator: Authenticator,
    @Inject(Recordings) private readonly recordings: Recordings,
    facts: SubmissionFacts,
    batches: SubmissionBatches,
  ) {
    this.#place = { dataSource, facts, batches };
  }

  @Post()
  @ActsByKeptFacts()
  @ApiHeader(IDEMPOTENCY_HEADER)
  @ApiResponse(SEEN_BEFORE)
  @Answers({
    summary: 'Submit a job',
    status: 201,
    schema: jobDetail,
    errors: [...BODY_ERRORS, 'unknown-application', 'image-invalid', ...MAKING_ERRORS],
  })
  async submit(
    @Body({ schema: jobSchema }) body: JobRequest,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    requireIdempotencyKey(idempotencyKey);
    return this.#write(caller, reply, ({ caller, asOf }) =>
      submitJob(this.#place, { caller, asOf, idempotencyKey }, body),
    );
  }

  @Get()
  @Answers({ summary: 'List jobs, newest first', schema: jobList })
  async list(@Query({ schema: jobListQuery }) query: JobListQuery, @CurrentCaller() caller: Caller) {
    const jobs = await listJobs(this.dataSource.manager, caller, query);
    return { jobs, next: nextOf(jobs, query.limit) };
  }

  @Get(':id')
  @ActsByKeptFacts()
  @Answers({ summary: 'Get a job with its attempts, runs and outputs', schema: jobDetail, errors: ['not-found'] })
  async get(
    @Param('id', { schema: idSchema }) id: string,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.authenticator.asCaller(caller, (caller, asOf) => this.#read(caller, asOf, id, reply));
  }

  @Get(':id/logs')
  @AnswersBytes({
    mediaType: 'text/plain',
    summary: `Read what an executor printed, in its latest attempt, also while it runs; at most ${LOG_ANSWER_BYTES} bytes an answer`,
    headers: {
      'Porin-Log-Next-Offset': 'What to ask for as "offset" next',
      'Porin-Log-Complete': '"true" when nothing will follow in this attempt, else "false"',
      'Porin-Log-Dropped-Bytes': 'Bytes over the limit, which are lost',
      'Porin-Log-Attempt': 'Number of the attempt; when it changes, start again at offset 0',
    },
    errors: ['not-found', 'log-expired'],
  })
  async logs(
    @Param('id', { schema: idSchema }) id: string,
    @Query({ schema: logQuery }) query: LogQuery,
    @CurrentCaller() caller: Caller,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { manager } = this.dataSource;
    const part = await readLog(manager, await findJob(manager, caller, id), query);
    reply.headers({
      'Porin-Log-Next-Offset': String(part.nextOffset),
      'Porin-Log-Complete': String(part.complete),
      'Porin-Log-Dropped-Bytes': String(part.droppedBytes),
      ...(part.attemptNumber !== null && { 'Porin-Log-Attempt': String(part.attemptNumber) }),
    });
    // A payload chose these bytes: no browser may take them for anything but text.
    await reply.type('text/plain; charset=utf-8').send(part.content);
  }

  @Get(':id/trace')
  @AnswersBytes({
    mediaType: 'application/gzip',
    summary: 'Download the trace of an executor’s calls, of its latest attempt, also while it runs',
    headers: {
      'Porin-Trace-Complete': '"true" when the run has ended, else "false"; even then only whole lines are sent',
      'Porin-Trace-Truncated': '"true" when more happened than the trace has; its last line says why',
      'Porin-Trace-Attempt': 'Number of the attempt',
    },
    errors: ['not-found', 'log-expired'],
  })
  async trace(
    @Param('id', { schema: idSchema }) id: string,
    @Query({ schema: traceQuery }) { executor }: TraceQuery,
    @CurrentCaller() caller: Caller,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { manager } = this.dataSource;
    const trace = await readTrace(manager, await findJob(manager, caller, id), executor);
    reply.headers({
      'Porin-Trace-Complete': String(trace.complete),
      'Porin-Trace-Truncated': String(trace.truncated),
      'Porin-Trace-Attempt': String(trace.attemptNumber),
      'Content-Disposition': `attachment; filename=${trace.fileName}`,
    });
    // Once its first bytes are sent, a reader that hangs up, or a database that is lost, can only break the answer off.
    await reply.type('application/gzip').send(Readable.from(trace.parts, { objectMode: false }));
  }

  @Get(':id/recording')
  @Answers({
    summary: 'Get what the recording of an executor saw, and whether anything is learned from it',
    schema: recordingAnswer,
    errors: ['not-found', 'no-recording', 'recording-integrity'],
  })
  async recording(
    @Param('id', { schema: idSchema }) id: string,
    @Query({ schema: recordingQuery }) query: RecordingQuery,
    @CurrentCaller() caller: Caller,
  ) {
    const job = await findJob(this.dataSource.manager, caller, id);
    // It is through the schema already.
    return new StreamableFile(await this.recordings.read(job.id, query), { type: 'application/json; charset=utf-8' });
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Answers({
    summary: 'Cancel a job; one that has ended or publishes its outputs stays as it is',
    schema: jobDetail,
    errors: ['not-found'],
  })
  async cancel(
    @Param('id', { schema: idSchema }) id: string,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    await findJob(this.dataSource.manager, caller, id);
    await this.dataSource.transaction((manager) => cancelJob(manager, id));
    return this.#show(caller, id, reply);
  }

  @Post(':id/rerun')
  @ApiHeader(IDEMPOTENCY_HEADER)
  @ApiResponse(SEEN_BEFORE)
  @Answers({
    summary: 'Repeat a job as it was submitted, as a new job of your own; image tags and inputs are resolved anew',
    status: 201,
    schema: jobDetail,
    errors: ['not-found', ...MAKING_ERRORS],
  })
  async rerun(
    @Param('id', { schema: idSchema }) id: string,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    requireIdempotencyKey(idempotencyKey);
    const job = await findJob(this.dataSource.manager, caller, id);
    return this.#write(caller, reply, ({ caller, asOf }) =>
      rerunJob(this.#place, { caller, asOf, idempotencyKey }, job),
    );
  }

  #write(caller: Caller, reply: FastifyReply, write: (by: Pick<Submitter, 'caller' | 'asOf'>) => Promise<WrittenJob>) {
    return this.authenticator.asCaller(caller, async (caller, asOf) => {
      const written = await write({ caller, asOf });
      const isNew = written.kind === 'created';
      reply.status(isNew ? 201 : 200).header('Location', `/api/v1/jobs/${written.id}`);
      if (!isNew) return this.#show(caller, written.id, reply);
      return finish(reply, finished<typeof jobDetail>(JSON.stringify(describeNewJob(caller, written))));
    });
  }

  async #read(caller: Caller, asOf: string, id: string, reply: FastifyReply) {
    const { version, answer } = await readJob(this.dataSource, caller, id);
    // The caller's key may have been revoked.
    if (version !== asOf) throw staleFacts();
    return finish(reply, await answer());
  }

  async #show(caller: Caller, id: string, reply: FastifyReply) {
    const { answer } = await readJob(this.dataSource, caller, id);
    return finish(reply, await answer());
  }
}

function finish<Answer extends string>(reply: FastifyReply, answer: Answer): Answer {
  reply.header('Content-Type', 'application/json; charset=utf-8');
  return answer;
}

function requireIdempotencyKey(key: string | undefined): void {
  if (key !== undefined && !IDEMPOTENCY_KEY.test(key)) {
    throw new PorinError('idempotency-key-invalid', 'An Idempotency-Key is 1 to 255 visible ASCII characters.');
  }
}
