import 'reflect-metadata';
import { Body, Controller, Get, Module, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Public } from '../auth/caller.js';
import { type FoundRoute, RouteTable } from './route-table.js';

abstract class Things {
  @Get('things/all')
  all() {
    return [];
  }

  @Get('things/:id')
  one() {
    return {};
  }

  @Post('things/:id(^.+)::stop')
  stop(@Param('id') id: string, @Body() _body: unknown) {
    return { id };
  }
}
@Controller('short')
class ShortThings extends Things {}
@Controller(['long/v1', 'long/v2'])
class LongThings extends Things {
  @Public()
  @Get(['', 'about'])
  about() {
    return {};
  }
}

@Module({ controllers: [ShortThings, LongThings] })
class ThingsModule {}

const table = RouteTable.of([ShortThings, LongThings]);
const said = (found: FoundRoute): string => {
  if (found.kind === 'route') return found.route.path;
  return found.kind === 'none' ? 'none' : found.allow.join();
};

/** The route, or the methods of those that the path has. */
const FOUND: readonly (readonly [method: 'GET' | 'HEAD' | 'POST' | 'DELETE', path: string, found: string])[] = [
  ['GET', '/short/things/7', '/short/things/{id}'],
  ['HEAD', '/short/things/7', '/short/things/{id}'],
  ['GET', '/short/things/all', '/short/things/all'],
  ['POST', '/short/things/7:stop', '/short/things/{id}:stop'],
  ['POST', '/short/things/a:b:stop', '/short/things/{id}:stop'],
  ['POST', '/short/things/:stop', 'GET,HEAD'],
  ['POST', '/short/things/7:stop/', 'none'],
  ['POST', '/short/things/7', 'GET,HEAD'],
  ['DELETE', '/short/things/7:stop', 'POST'],
  ['GET', '/short/things/', 'none'],
  ['GET', '/long/v2', '/long/v2'],
  ['GET', '/long/v3', 'none'],
  ['GET', '/', 'none'],
];

describe('the table of routes', () => {
  it('has the routes of controllers with those that they inherit, under each of their paths', () => {
    const paths = table.routes.map(({ method, path }) => `${method} ${path}`);
    const inherited = ['GET things/all', 'GET things/{id}', 'POST things/{id}:stop'];
    const under = (prefix: string) => inherited.map((each) => each.replace(' ', ` /${prefix}/`));
    const own = ['GET /long/v1', 'GET /long/v1/about', 'GET /long/v2', 'GET /long/v2/about'];
    expect(paths.sort()).toEqual([...under('short'), ...under('long/v1'), ...under('long/v2'), ...own].sort());
  });

  it.each(FOUND)('finds for %s %s %s', (method, path, expected) => {
    expect(said(table.find(method, path))).toBe(expected);
  });

  it('takes what follows a parameter for no part of another one', () => {
    expect(said(table.find('GET', '/short/things/7:stop'))).toBe('POST');
  });

  it('knows what is open and what takes a body', () => {
    const routes = ['/long/v1', '/short/things/{id}:stop'].map((path) =>
      table.routes.find((each) => each.path === path),
    );
    expect(routes).toMatchObject([
      { open: true, takesBody: false },
      { open: false, takesBody: true },
    ]);
  });
});

describe('the router of Fastify', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => {
    app = await NestFactory.create<NestFastifyApplication>(ThingsModule, new FastifyAdapter(), { logger: false });
    await app.init();
  });
  afterAll(() => app.close());

  it.each(FOUND)('has a route for %s %s where the table has one', async (method, url, expected) => {
    const { statusCode } = await app.inject({ method, url });
    expect(statusCode < 400).toBe(expected.startsWith('/'));
  });

  it('reads a parameter before a suffix', async () => {
    const { body } = await app.inject({ method: 'POST', url: '/short/things/a:b:stop' });
    expect(JSON.parse(body)).toEqual({ id: 'a:b' });
  });
});
