/** The tasks of GA4GH TES 1.1 over HTTP, under both paths where clients look for them: each is a job. */
import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { type z } from 'zod';
import { Authenticator } from '../auth/authenticate.js';
import { ActsByKeptFacts, type Caller, CurrentCaller } from '../auth/caller.js';
import { SubmissionFacts } from '../facts/submission-facts.js';
import { cancelJob } from '../jobs/cancel-job.js';
import { type SubmissionPlace, type Submitter } from '../jobs/submit/insert-job.js';
import { SubmissionBatches } from '../jobs/submit/send-submissions.js';
import { SUBMISSION_ERRORS } from '../jobs/submit/submission-errors.js';
import { submitJob } from '../jobs/submit/submit-job.js';
import { Answers, BODY_ERRORS } from '../openapi/answers.js';
import { findTask, findTasks, type FoundTask } from './show/find-tasks.js';
import { pageToken } from './show/page-token.js';
import { readTasks } from './show/read-tasks.js';
import {
  canceledTask,
  createdTask,
  type Task,
  taskAnswer,
  taskList,
  taskListQuery,
  type TaskListQuery,
  taskQuery,
  type TaskQuery,
  type View,
} from './show/task-answers.js';
import { taskView } from './show/task-view.js';
import { TES_STATE_OF } from './show/tes-state.js';
import { type NewTask, newTask } from './submit/new-task.js';
import { type TaskAsJob, toJob } from './submit/to-job.js';
import { digestOf, type TaskRequest, UnansweredTasks } from './submit/unanswered-tasks.js';

const PROBLEM = 'TesProblem';

@ApiBearerAuth()
abstract class TaskRoutes {
  readonly #place: SubmissionPlace;

  constructor(
    private readonly dataSource: DataSource,
    private readonly authenticator: Authenticator,
    private readonly unanswered: UnansweredTasks,
    facts: SubmissionFacts,
    batches: SubmissionBatches,
  ) {
    this.#place = { dataSource, facts, batches };
  }

  @Get('tasks')
  @Answers({ summary: 'List tasks, newest first', schema: taskList, problem: PROBLEM })
  async list(@Query({ schema: taskListQuery }) query: TaskListQuery, @CurrentCaller() caller: Caller) {
    const { tasks, end } = await findTasks(this.dataSource.manager, caller, query);
    const shown = await this.#show(tasks, query.view);
    return { tasks: shown, ...(end && { next_page_token: pageToken(end) }) };
  }

  @Post('tasks')
  @HttpCode(200)
  @ActsByKeptFacts()
  @Answers({
    summary: 'Create a task',
    schema: createdTask,
    errors: [...BODY_ERRORS, 'unknown-application', 'image-invalid', ...SUBMISSION_ERRORS],
    problem: PROBLEM,
  })
  async create(
    @Body({ schema: newTask }) task: NewTask,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const request = { principalId: caller.principalId, digest: digestOf(task) };
    return { id: await this.submit({ request, job: toJob(task), caller, reply }) };
  }

  @Get('tasks/:id')
  @Answers({ summary: 'Get a task', schema: taskAnswer, errors: ['not-found'], problem: PROBLEM })
  async get(
    @Param('id') id: string,
    @Query({ schema: taskQuery }) { view }: TaskQuery,
    @CurrentCaller() caller: Caller,
  ): Promise<Task> {
    const task = await findTask(this.dataSource.manager, caller, id);
    const [shown = minimal(task)] = await this.#show([task], view);
    return shown;
  }

  @Post('tasks/:id(^.+)::cancel')
  @HttpCode(200)
  @Answers({
    summary: 'Cancel a task; one that has ended or publishes its outputs stays as it is',
    schema: canceledTask,
    errors: ['not-found'],
    problem: PROBLEM,
  })
  async cancel(@Param('id') id: string, @CurrentCaller() caller: Caller): Promise<z.input<typeof canceledTask>> {
    const task = await findTask(this.dataSource.manager, caller, id);
    await this.dataSource.transaction((manager) => cancelJob(manager, task.id));
    return {};
  }

  /** Gives the id of the task. */
  protected abstract submit(submission: Submission): Promise<string>;

  /** The answer may be lost: then the request is repeated at the other path. */
  protected submitRepeatable({ request, job, caller, reply }: Submission): Promise<string> {
    const submit = () =>
      this.authenticator.asCaller(caller, (caller, asOf) => this.#submitNew(job, { caller, asOf }, request.digest));
    return this.unanswered.submit(request, reply.raw, submit);
  }

  /** The task whose answer was lost at the other path, or a new one. */
  protected repeatOrSubmit({ request, job, caller, reply }: Submission): Promise<string> {
    return this.authenticator.asCaller(caller, async (caller, asOf) => {
      const earlier = await this.unanswered.takeEarlier(request, reply.raw, asOf);
      return earlier ?? this.#submitNew(job, { caller, asOf });
    });
  }

  async #submitNew(job: TaskAsJob, by: Pick<Submitter, 'caller' | 'asOf'>, repeatDigest?: string): Promise<string> {
    const submitter = { ...by, idempotencyKey: undefined };
    return (await submitJob(this.#place, submitter, job.request, { details: job.details, repeatDigest })).id;
  }

  async #show(tasks: readonly FoundTask[], view: View): Promise<Task[]> {
    if (view === 'MINIMAL') return tasks.map(minimal);
    const ids = tasks.map(({ id }) => id);
    return (await readTasks(this.dataSource.manager, ids, view)).map((rows) => taskView(rows, view));
  }
}

interface Submission {
  readonly request: TaskRequest;
  readonly job: TaskAsJob;
  readonly caller: Caller;
  readonly reply: FastifyReply;
}

function minimal({ id, state }: FoundTask): Task {
  return { id, state: TES_STATE_OF[state] };
}

/** Where the specification has them, and where clients look first. */
@Controller('ga4gh/tes/v1')
export class TesTasksController extends TaskRoutes {
  protected override submit(submission: Submission): Promise<string> {
    return this.submitRepeatable(submission);
  }
}

/** Where py-tes sends a request again whose answer it did not get, and older clients send all of theirs. */
@Controller('v1')
export class ShortTasksController extends TaskRoutes {
  protected override submit(submission: Submission): Promise<string> {
    return this.repeatOrSubmit(submission);
  }
}
