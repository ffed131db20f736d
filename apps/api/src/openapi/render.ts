/** Renders openapi.json without a database or a service: nothing of the application is started. */
import 'reflect-metadata';
import { generateKeyPairSync } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { loadApiConfig } from '#lib/config';
import { approvalKeys } from '#lib/profiles';
import { pino } from 'pino';
import { AppModule } from '../app.module.js';
import { openApiDocument } from './document.js';

export async function renderOpenApi(): Promise<string> {
  const config = loadApiConfig({
    PORIN_DATABASE_URL: 'postgres://nobody@127.0.0.1/none',
    PORIN_REDIS_URL: 'redis://127.0.0.1',
    PORIN_SIGNING_KEY_FILE: '/none',
  });
  const { privateKey } = generateKeyPairSync('ed25519');
  const module = AppModule.register(config, pino({ level: 'silent' }), approvalKeys(privateKey));
  // Preview: modules and routes are known, no provider is made and no connection opened.
  const app = await NestFactory.create(module, new FastifyAdapter(), {
    preview: true,
    logger: false,
    abortOnError: false,
  });
  return `${JSON.stringify(openApiDocument(app), null, 2)}\n`;
}
