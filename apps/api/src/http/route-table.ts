/** Every route of the controllers, so that a request is known by its method and path before anything of its body is read. */
import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { ACTS_BY_KEPT_FACTS, PUBLIC } from '../auth/caller.js';

export interface Route {
  readonly method: string;
  /** As OpenAPI writes it: /api/v1/jobs/{id}. */
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
  readonly #patterns: readonly { readonly route: Route; readonly parts: readonly string[] }[];

  constructor(readonly routes: readonly Route[]) {
    this.#patterns = routes.map((route) => ({ route, parts: route.path.split('/') }));
  }

  static of(controllers: readonly Type[]): RouteTable {
    return new RouteTable(controllers.flatMap(routesOf));
  }

  /** HEAD is answered as GET. A path has one spelling: case and a slash at the end count. */
  find(method: string, path: string): FoundRoute {
    const parts = path.split('/');
    const candidates = this.#patterns.flatMap((each) => (matches(each.parts, parts) ? [each.route] : []));
    const wanted = method === 'HEAD' ? 'GET' : method;
    // A path that is written out goes before one with a parameter, as it is registered.
    const route = candidates.find((each) => each.method === wanted);
    if (route) return { kind: 'route', route };
    if (candidates.length === 0) return { kind: 'none' };
    const allow = candidates.flatMap((each) => (each.method === 'GET' ? ['GET', 'HEAD'] : [each.method]));
    return { kind: 'other-method', allow: [...new Set(allow)].sort(), open: candidates.every(({ open }) => open) };
  }
}

function matches(pattern: readonly string[], parts: readonly string[]): boolean {
  return (
    pattern.length === parts.length &&
    pattern.every((each, index) => (each.startsWith('{') ? parts[index] !== '' : each === parts[index]))
  );
}

function routesOf(controller: Type): Route[] {
  const prefix = Reflect.getMetadata(PATH_METADATA, controller) as string;
  const prototype = controller.prototype as Record<string, object>;
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const handler = prototype[name];
    if (typeof handler !== 'function') return [];
    const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
    if (method === undefined) return [];
    const path = [prefix, Reflect.getMetadata(PATH_METADATA, handler) as string].flatMap((part) => part.split('/'));
    const parameters = Object.keys((Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as object);
    return [
      {
        method: RequestMethod[method],
        path: `/${path
          .filter((part) => part !== '')
          .map((part) => (part.startsWith(':') ? `{${part.slice(1)}}` : part))
          .join('/')}`,
        open: [handler, controller].some((target) => Reflect.getMetadata(PUBLIC, target) === true),
        takesBody: parameters.some((parameter) => parameter.startsWith(`${RouteParamtypes.BODY}:`)),
        mayKeepCaller: Reflect.getMetadata(ACTS_BY_KEPT_FACTS, handler) === true,
      },
    ];
  });
}
