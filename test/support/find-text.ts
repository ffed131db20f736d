/** Looks for texts in everything that a grid keeps: rows, Redis, files. */
import { spawnSync } from 'node:child_process';
import { Redis } from 'ioredis';
import type pg from 'pg';

/** As it is, and as it is written where bytes are shown as text. */
export function spellings(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  // Of base64, what is the same wherever in other bytes the text begins.
  const shifted = [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    return whole.slice(before === 0 ? 0 : before + 1, -2);
  });
  return [text, encodeURIComponent(text), bytes.toString('hex'), ...shifted];
}

/** The texts that are found in it, whichever way they are written. */
export function foundIn(haystack: string, texts: readonly string[]): readonly string[] {
  return texts.filter((text) => spellings(text).some((each) => haystack.includes(each)));
}

/** Every column of every table of the schema, as text. */
export async function allRows(owner: pg.Client): Promise<string> {
  const { rows: tables } = await owner.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'porin'::regnamespace AND relkind IN ('r', 'p')`,
  );
  const parts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await owner.query<{ row: string }>(`SELECT each::text AS row FROM porin.${name} AS each`);
    parts.push(name, ...rows.map(({ row }) => row));
  }
  return parts.join('\n');
}

/** Every key with its value, as Redis would move it elsewhere. */
export async function allKeys(url: string): Promise<string> {
  const redis = new Redis(url);
  try {
    const parts: string[] = [];
    for (const key of await redis.keys('*')) parts.push(key, (await redis.dumpBuffer(key))?.toString('latin1') ?? '');
    return parts.join('\n');
  } finally {
    redis.disconnect();
  }
}

/** Paths of the files below the directory that have one of the texts in them; disks of payloads are files there. */
export function filesWith(directory: string, texts: readonly string[]): readonly string[] {
  const input = texts.flatMap(spellings).join('\n');
  const { status, stdout, stderr } = spawnSync('grep', ['-rlaF', '-f', '-', directory], { input, encoding: 'utf8' });
  // 2 says too that a file has gone meanwhile.
  if (status === null || (status === 2 && !/No such file/.test(stderr))) throw new Error(`grep: ${stderr}`);
  return stdout.split('\n').filter((path) => path !== '');
}
