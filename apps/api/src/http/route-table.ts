/** Every route of the controllers, so that a request is known by its method and path before anything of its body is read. */
import { RequestMethod, type Type } from '@nestjs/common';
import { MetadataScanner } from '@nestjs/core';
import { METHOD_METADATA, PATH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { ACTS_BY_KEPT_FACTS, PUBLIC } from '../auth/caller.js';

export interface Route {
  readonly method: string;
  /** As OpenAPI writes it: /api/v1/jobs/{id}, or /v1/tasks/{id}:cancel. */
  readonly path: string;
  /** Needs no key. */
  readonly open: boolean;
  readonly takesBody: boolean;
  /** Its caller may have been looked up a moment ago. */
  readonly mayKeepCaller: boolean;
}

export type FoundRoute =
  | { readonly kind: 'route'; readonly route: Route }
  /** The path is known, with these methods. */
  | { readonly kind: 'other-method'; readonly allow: readonly string[]; readonly open: boolean }
  | { readonly kind: 'none' };

export class RouteTable {
  readonly #patterns: readonly Pattern[];

  constructor(readonly routes: readonly Route[]) {
    this.#patterns = routes.map(patternOf);
  }

  static of(controllers: readonly Type[]): RouteTable {
    return new RouteTable(controllers.flatMap(routesOf));
  }

  /** HEAD is answered as GET. A path has one spelling: case and a slash at the end count. */
  find(method: string, path: string): FoundRoute {
    const parts = path.split('/');
    const candidates = mostExact(this.#patterns.filter((each) => matches(each.parts, parts)));
    const wanted = method === 'HEAD' ? 'GET' : method;
    // A path that is written out goes before one with a parameter, as it is registered.
    const route = candidates.find((each) => each.method === wanted);
    if (route) return { kind: 'route', route };
    if (candidates.length === 0) return { kind: 'none' };
    const allow = candidates.flatMap((each) => (each.method === 'GET' ? ['GET', 'HEAD'] : [each.method]));
    return { kind: 'other-method', allow: [...new Set(allow)].sort(), open: candidates.every(({ open }) => open) };
  }
}

interface Pattern {
  readonly route: Route;
  readonly parts: readonly PatternPart[];
  readonly hasSuffix: boolean;
}

function patternOf(route: Route): Pattern {
  const parts = route.path.split('/').map(patternPart);
  return { route, parts, hasSuffix: parts.some(({ isParameter, text }) => isParameter && text !== '') };
}

/** What follows a parameter is no part of another one: `/v1/tasks/7:cancel` is not the task "7:cancel". */
function mostExact(patterns: readonly Pattern[]): Route[] {
  const hasSuffix = patterns.some((each) => each.hasSuffix);
  return patterns.flatMap((each) => (each.hasSuffix === hasSuffix ? [each.route] : []));
}

/** Of a path: written out, or a parameter and what follows it. */
interface PatternPart {
  readonly isParameter: boolean;
  readonly text: string;
}

function patternPart(part: string): PatternPart {
  const isParameter = part.startsWith('{');
  return { isParameter, text: isParameter ? part.slice(part.indexOf('}') + 1) : part };
}

function matches(pattern: readonly PatternPart[], parts: readonly string[]): boolean {
  return pattern.length === parts.length && pattern.every((each, index) => matchesPart(each, parts[index] ?? ''));
}

function matchesPart({ isParameter, text }: PatternPart, part: string): boolean {
  return isParameter ? part.length > text.length && part.endsWith(text) : part === text;
}

const SCANNER = new MetadataScanner();

/** Those that it inherits too. */
function routesOf(controller: Type): Route[] {
  const prefixes = [Reflect.getMetadata(PATH_METADATA, controller) as string | string[]].flat();
  const prototype = controller.prototype as Record<string, object>;
  return SCANNER.getAllMethodNames(prototype).flatMap((name) => {
    const handler = prototype[name];
    if (typeof handler !== 'function') return [];
    const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
    if (method === undefined) return [];
    const paths = [Reflect.getMetadata(PATH_METADATA, handler) as string | string[]].flat();
    const parameters = Object.keys((Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as object);
    const route = {
      method: RequestMethod[method],
      open: [handler, controller].some((target) => Reflect.getMetadata(PUBLIC, target) === true),
      takesBody: parameters.some((parameter) => parameter.startsWith(`${RouteParamtypes.BODY}:`)),
      mayKeepCaller: Reflect.getMetadata(ACTS_BY_KEPT_FACTS, handler) === true,
    };
    return prefixes.flatMap((prefix) => paths.map((path) => ({ ...route, path: openApiPath(`${prefix}/${path}`) })));
  });
}

/** @example openApiPath('v1/tasks/:id(^.+)::cancel') === '/v1/tasks/{id}:cancel' */
function openApiPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  return `/${parts.map(openApiPart).join('/')}`;
}

/** Fastify's router wants a pattern where a name does not end the part, and a colon twice. */
function openApiPart(part: string): string {
  const [, name, suffix = ''] = /^:(\w+)(?:\(.*\))?(.*)$/.exec(part) ?? [];
  return name === undefined ? part : `{${name}}${suffix.replaceAll('::', ':')}`;
}
