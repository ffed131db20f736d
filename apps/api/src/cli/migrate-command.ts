/** `porin-admin migrate` */
import { migrate } from '#lib/database';
import { type Command, environment } from './command.js';

export const MIGRATE: Command = {
  words: 'migrate',
  help: [
    'bring the database to the current schema (PORIN_OWNER_DATABASE_URL;',
    "PORIN_API_PASSWORD and PORIN_WORKER_PASSWORD set the roles' passwords)",
  ],
  async run() {
    const { PORIN_API_PASSWORD: apiPassword, PORIN_WORKER_PASSWORD: workerPassword } = process.env;
    await migrate({
      ownerUrl: environment('PORIN_OWNER_DATABASE_URL'),
      ...(apiPassword ? { apiPassword } : {}),
      ...(workerPassword ? { workerPassword } : {}),
    });
    console.log('the schema is up to date');
  },
};
