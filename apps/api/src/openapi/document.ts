/** The OpenAPI document, from the routes and their zod schemas. */
import { type INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { type Response } from 'express';
import { z } from 'zod';
import { DOCS_PATH } from '../http/security-headers.js';
import { problemSchema } from './answers.js';

export function openApiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Porin')
    .setDescription('Grid job middleware that learns, enforces and measures seccomp profiles for analysis programs.')
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key: porin_...' })
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    standardSchemaConverter: (schema, { schemaType }) =>
      schema instanceof z.ZodType ? convert(schema, schemaType) : undefined,
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '').toLowerCase()}_${method}`,
  });
  const schemas = { ...document.components?.schemas, ...convert(problemSchema, 'output').components };
  return { ...document, components: { ...document.components, schemas: sorted(schemas) } };
}

/** Swagger UI at /docs, the document at /openapi.json: rendered once, at the first request, and sent as it is to everybody. */
export function serveDocuments(app: INestApplication): void {
  let rendered: Buffer | undefined;
  const http = app.getHttpAdapter();
  http.get('/openapi.json', (_request, response: Response) => {
    rendered ??= Buffer.from(JSON.stringify(openApiDocument(app)));
    response.type('application/json').send(rendered);
  });
  // In the place of Swagger's own, which holds the whole document once more.
  http.get(`/${DOCS_PATH}/swagger-ui-init.js`, (_request, response: Response) => {
    response.type('application/javascript').send(START_SWAGGER_UI);
  });
  const { openapi, info } = new DocumentBuilder().build();
  SwaggerModule.setup(DOCS_PATH, app, { openapi, info, paths: {} }, { raw: false });
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
