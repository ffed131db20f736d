/** `porin-admin secrets rotate`: the keys that secrets of tenants are encrypted under. */
import { readSecretKeys } from '#lib/config';
import { type Command, environment, type Given, withDatabase } from './command.js';
import { activateSecretKey, encryptAnew, prepareSecretKey } from './rotate-secret-keys.js';

const KEY_FILE = { 'secrets-key': { type: 'string' } } as const;
const KEY_FILE_HELP = '--secrets-key <file>      (default: PORIN_SECRETS_KEY_FILE)';

export const SECRET_COMMANDS: readonly Command[] = [
  {
    words: 'secrets rotate',
    options: { ...KEY_FILE, prepare: { type: 'boolean' } },
    help: [
      'encrypt all secrets anew, by a new key that comes first in the file',
      '--prepare                 make the key and let it decrypt, no more: to copy the file to other machines first',
      KEY_FILE_HELP,
    ],
    run: rotate,
  },
  {
    words: 'secrets encrypt',
    options: KEY_FILE,
    help: ['encrypt anew what another key than the first of the file has encrypted', KEY_FILE_HELP],
    run: encrypt,
  },
];

async function rotate(given: Given): Promise<void> {
  const path = keyFile(given);
  if (given.flag('prepare')) {
    console.log(`The key ${prepareSecretKey(path)} is ready, and another one encrypts as before.
1. Copy ${path} to every machine that runs the API or a dispatcher; restart those that have it as a secret of a container.
2. Run: porin-admin secrets rotate`);
    return;
  }
  // Before anything is changed: without a database, nothing would be encrypted anew.
  environment('PORIN_DATABASE_URL');
  const [first, ...others] = activateSecretKey(path);
  await encrypt(given);
  console.log(`The key ${first} encrypts from now on. Beside it, the file has: ${others.join(', ')}.
1. Copy ${path} to every machine that runs the API or a dispatcher; restart those that have it as a secret of a container.
2. Run: porin-admin secrets encrypt
3. Keep the other keys for as long as you keep backups that were made before; then take their lines out.`);
}

async function encrypt(given: Given): Promise<void> {
  const keys = readSecretKeys(keyFile(given));
  const count = await withDatabase((database) => database.transaction((manager) => encryptAnew(manager, keys)));
  console.log(`${count} secret(s) encrypted anew by the key ${keys[0]?.id}`);
}

function keyFile({ text }: Given): string {
  return text('secrets-key') ?? environment('PORIN_SECRETS_KEY_FILE');
}
