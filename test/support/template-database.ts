/** Vitest's global set-up: migrates one database for all test files, which copy it. */
import { randomBytes } from 'node:crypto';
import type { TestProject } from 'vitest/node';
import { createDatabase, migrateDatabase } from './database.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Its name; nobody is connected to it. */
    readonly templateDatabase: string;
  }
}

export default async function makeTemplate(project: TestProject): Promise<() => Promise<void>> {
  const name = `porin_template_${randomBytes(6).toString('hex')}`;
  const { ownerUrl, drop } = await createDatabase(name);
  await migrateDatabase(ownerUrl);
  project.provide('templateDatabase', name);
  return drop;
}
