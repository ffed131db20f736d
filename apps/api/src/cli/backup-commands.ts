/** `porin-admin backup` and `restore`: the database as one file, and back. */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { finishRestore, prepareRestore, type Restored } from '#lib/database';
import { type Command, environment, UsageError } from './command.js';
import { migrateOptions } from './migrate-command.js';
import { runPostgresProgram } from './postgres-program.js';

const REPLACE = { replace: { type: 'boolean', default: false } } as const;
const RESTORE_ARGUMENTS = ['--no-owner', '--single-transaction', '--exit-on-error'];

export const BACKUP_COMMANDS: readonly Command[] = [
  {
    words: 'backup',
    operands: ['file'],
    help: ['write the database to a new file (pg_dump; PORIN_OWNER_DATABASE_URL)'],
    async run({ operands: [file = ''] }) {
      if (existsSync(file)) throw new UsageError(`${file} is there already`);
      // Half a backup must not look like one, and nobody else may read it.
      process.umask(0o077);
      const partial = `${file}.partial`;
      try {
        // What the database's owner has closed to others is closed again by the restore, whoever owns the new one.
        const args = ['--format=custom', '--schema=porin', `--file=${partial}`];
        await runPostgresProgram('pg_dump', args, environment('PORIN_OWNER_DATABASE_URL'));
        renameSync(partial, file);
      } finally {
        rmSync(partial, { force: true });
      }
      console.log(`wrote ${file}; keep the signing key and the environment of the programs too`);
    },
  },
  {
    words: 'restore',
    operands: ['file'],
    options: REPLACE,
    help: [
      'make an empty database what a backup holds (pg_restore; variables as for migrate)',
      '--replace    drop the grid that the database holds',
    ],
    async run({ operands: [file = ''], flag }) {
      if (!existsSync(file)) throw new UsageError(`there is no ${file}`);
      const options = migrateOptions();
      await prepareRestore(options.ownerUrl, { replace: flag('replace') });
      const database = new URL(options.ownerUrl).pathname.slice(1);
      const args = [...RESTORE_ARGUMENTS, `--dbname=${decodeURIComponent(database)}`, file];
      await runPostgresProgram('pg_restore', args, options.ownerUrl);
      print(await finishRestore(options));
    },
  },
  {
    words: 'restore prepare',
    options: REPLACE,
    help: [
      'the first half, where pg_restore is run by hand: roles, and an empty database',
      '--replace    drop the grid that the database holds',
    ],
    async run({ flag }) {
      await prepareRestore(environment('PORIN_OWNER_DATABASE_URL'), { replace: flag('replace') });
      console.log(`ready for: pg_restore ${RESTORE_ARGUMENTS.join(' ')}`);
    },
  },
  {
    words: 'restore finish',
    help: ['the second half, after pg_restore: schema, functions, passwords, approval numbers, open attempts, nodes'],
    async run() {
      print(await finishRestore(migrateOptions()));
    },
  },
];

function print({ lastSequence, sequence, lostAttempts, nodes, validKeys }: Restored): void {
  console.log(
    `restored. The next approval has a number above ${sequence}; the last one in the backup is ${lastSequence}.`,
  );
  console.log(`${lostAttempts} attempts that were running are lost; their jobs are tried again.`);
  console.log(
    `${validKeys} API keys are valid: "key list" shows them. Revoke again what was revoked after the backup.`,
  );
  console.log(
    'Revoke again the profile versions that were revoked after it; then run "porin-admin resign": until then',
  );
  console.log('nodes that have seen a newer list of approvals enforce nothing.');
  if (nodes.length > 0) console.log(`Give the nodes new credentials: ${nodes.join(', ')}.`);
}
