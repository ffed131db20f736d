/** `porin-admin migrate` */
import { migrate, type MigrateOptions } from '#lib/database';
import { type Command, environment } from './command.js';

export const MIGRATE: Command = {
  words: 'migrate',
  help: [
    'bring the database to the current schema (PORIN_OWNER_DATABASE_URL;',
    "PORIN_API_PASSWORD sets the password of the API's role)",
  ],
  async run() {
    await migrate(migrateOptions());
    console.log('the schema is up to date');
  },
};

export function migrateOptions(): MigrateOptions {
  const { PORIN_API_PASSWORD: apiPassword } = process.env;
  return {
    ownerUrl: environment('PORIN_OWNER_DATABASE_URL'),
    ...(apiPassword ? { apiPassword } : {}),
  };
}
