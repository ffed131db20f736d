/** The OpenAPI document, from the routes and their zod schemas. */
import fastifyStatic from '@fastify/static';
import { type INestApplication } from '@nestjs/common';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import swaggerUi from 'swagger-ui-dist';
import { z } from 'zod';
import { DOCS_PATH } from '../http/security-headers.js';
import { problemSchema, tesProblemSchema } from './answers.js';

export function openApiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Porin')
    .setDescription('Grid job middleware that learns, enforces and measures seccomp profiles for analysis programs.')
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key: porin_...' })
    .addBasicAuth({ type: 'http', scheme: 'basic', description: 'An API key as the password, of any user' })
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    standardSchemaConverter: (schema, { schemaType }) =>
      schema instanceof z.ZodType ? convert(schema, schemaType) : undefined,
    operationIdFactory,
  });
  const schemas = { ...document.components?.schemas };
  for (const schema of [problemSchema, tesProblemSchema]) Object.assign(schemas, convert(schema, 'output').components);
  for (const operation of Object.values(document.paths).flatMap(operationsOf)) {
    // Whoever may send a key may send it in either way.
    if (operation.security) operation.security = [...operation.security, { basic: [] }];
  }
  return { ...document, components: { ...document.components, schemas: sorted(schemas) } };
}

/** Nest writes `get[1]` for the second path of a method. */
function operationIdFactory(controller: string, method: string): string {
  return `${controller.replace(/Controller$/, '').toLowerCase()}_${method.replace(/\[(\d+)\]$/, '_$1')}`;
}

function operationsOf(path: OpenAPIObject['paths'][string]) {
  return [path.get, path.post, path.patch, path.put, path.delete].filter((operation) => operation !== undefined);
}

/** Swagger UI at /docs, the document at /openapi.json: rendered once, at the first request, and sent as it is to everybody. */
export async function serveDocuments(app: NestFastifyApplication): Promise<void> {
  let rendered: Buffer | undefined;
  const http = app.getHttpAdapter().getInstance();
  http.get('/openapi.json', (_request, reply) => {
    rendered ??= Buffer.from(JSON.stringify(openApiDocument(app)));
    return reply.type('application/json; charset=utf-8').send(rendered);
  });
  // Relative, for whoever asks through a proxy that puts a prefix before it.
  http.get(`/${DOCS_PATH}`, (_request, reply) => reply.redirect(`${DOCS_PATH}/`));
  // In the place of the file of that name, which shows an example of Swagger's own.
  http.get(`/${DOCS_PATH}/swagger-initializer.js`, (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').send(START_SWAGGER_UI),
  );
  await app.register(fastifyStatic, {
    ...{ root: swaggerUi.getAbsoluteFSPath(), prefix: `/${DOCS_PATH}/`, decorateReply: false },
    ...{ cacheControl: false, etag: false, lastModified: false, acceptRanges: false },
  });
}

const START_SWAGGER_UI = Buffer.from(`const url = new URL('../openapi.json', document.currentScript.src).href;
window.onload = () => {
  window.ui = SwaggerUIBundle({
    url,
    dom_id: '#swagger-ui',
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    layout: 'StandaloneLayout',
  });
};
`);

interface Converted {
  readonly schema: unknown;
  readonly components: Record<string, NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>[string]>;
}

/** A schema with an id becomes a component of that name. */
function convert(schema: z.ZodType, io: 'input' | 'output'): Converted {
  const { definitions = {}, ...rest } = z.toJSONSchema(schema, {
    io,
    target: 'openapi-3.0',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      // JSON has no dates: Nest writes them as ISO 8601.
      if (zodSchema._zod.def.type === 'date') Object.assign(jsonSchema, { type: 'string', format: 'date-time' });
      // Left out by zod where the text of a query becomes something else.
      if (zodSchema._zod.def.type === 'default' && jsonSchema.default === undefined) {
        jsonSchema.default = (zodSchema._zod.def as { defaultValue?: unknown }).defaultValue;
      }
      // These repeat the format, and the bounds of numbers in JavaScript.
      if (jsonSchema.format === 'uuid' || jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  }) as Record<string, unknown> & { definitions?: Converted['components'] };
  return { schema: rest, components: definitions };
}

function sorted<T>(members: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)));
}
