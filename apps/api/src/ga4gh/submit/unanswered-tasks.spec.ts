import { EventEmitter } from 'node:events';
import { type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { type DataSource } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { UnansweredTasks } from './unanswered-tasks.js';

const REQUEST = { principalId: 'p', digest: 'd' };
const TAKEN = { outcome: 'taken', id: 'task' };

/** `statements`: the first word of each that the database was sent. */
function setUp(answers: readonly { outcome: string; id: string | null }[] = [], failures = 0) {
  const statements: string[] = [];
  const left = [...answers];
  let failuresLeft = failures;
  const query = (sql: string) => {
    const [verb = ''] = sql.split(' ');
    statements.push(verb);
    if (verb !== 'SELECT' && failuresLeft-- > 0) return Promise.reject(new Error('away'));
    return Promise.resolve([left.shift() ?? { outcome: 'none', id: null }]);
  };
  const tasks = new UnansweredTasks({ query } as unknown as DataSource, pino({ level: 'silent' }));
  return { tasks, statements };
}

function response(destroyed = false): ServerResponse {
  return Object.assign(new EventEmitter(), { destroyed }) as unknown as ServerResponse;
}

describe('a request that is sent again', () => {
  it('waits until it is known whether the first one was answered', async () => {
    const { tasks, statements } = setUp();
    const first = response();
    await tasks.submit(REQUEST, first, () => Promise.resolve('task'));
    const again = tasks.takeEarlier(REQUEST, response(), '1');
    await sleep(50);
    expect(statements).toEqual([]);
    first.emit('finish');
    first.emit('close');
    expect(await again).toBeUndefined();
    expect(statements).toEqual(['DELETE', 'SELECT']);
  });

  it('does not wait for one that was refused', async () => {
    const { tasks } = setUp();
    await expect(tasks.submit(REQUEST, response(), () => Promise.reject(new Error('refused')))).rejects.toThrow();
    expect(await tasks.takeEarlier(REQUEST, response(), '1')).toBeUndefined();
  });

  it('takes nothing when its own client is gone', async () => {
    const { tasks, statements } = setUp([TAKEN]);
    const error: unknown = await tasks.takeEarlier(REQUEST, response(true), '1').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'request-timeout' });
    expect(statements).toEqual([]);
  });

  it.each([
    ['finish', 'DELETE'],
    ['close', 'UPDATE'],
  ])('makes known what became of its own answer: %s', async (event, statement) => {
    const { tasks, statements } = setUp([TAKEN]);
    const again = response();
    expect(await tasks.takeEarlier(REQUEST, again, '1')).toBe('task');
    again.emit(event);
    await tasks.write();
    expect(statements).toEqual(['SELECT', statement]);
  });
});

it('what could not be noted is noted later', async () => {
  const { tasks, statements } = setUp([], 1);
  const first = response();
  await tasks.submit(REQUEST, first, () => Promise.resolve('task'));
  first.emit('close');
  await tasks.write();
  expect(statements).toEqual(['UPDATE']);
  await tasks.write();
  await tasks.write();
  expect(statements).toEqual(['UPDATE', 'UPDATE']);
});
