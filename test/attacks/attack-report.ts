/** The suite's report: for each attack, what was denied and what stopped it, printed and kept as JSON. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Stopper } from './attack.js';
import { type AttackRun } from './attack-runs.js';

const TARGET = join(process.cwd(), '.porin/test/attacks.json');
const WIDEST_ANSWER = 90;

interface Row {
  readonly family: string;
  readonly attack: string;
  readonly tries: string;
  /** Under which profile. */
  readonly profile: string;
  readonly by: Stopper;
  readonly says: Readonly<Record<string, string>>;
  readonly denials: readonly string[];
}

export class AttackReport {
  readonly #rows: Row[] = [];

  add(attack: Pick<Row, 'family' | 'attack' | 'tries' | 'profile' | 'by'>, { says, denials }: AttackRun): void {
    this.#rows.push({ ...attack, says, denials });
  }

  /** The rows in the order of `attacks`, whatever order they ran in. */
  publish(attacks: readonly string[]): void {
    const rows = attacks.flatMap((attack) => this.#rows.filter((row) => row.attack === attack));
    mkdirSync(dirname(TARGET), { recursive: true });
    writeFileSync(TARGET, `${JSON.stringify(rows, null, 2)}\n`);
    console.log(rows.map(line).join('\n'));
  }
}

function line({ family, attack, profile, by, denials, says }: Row): string {
  const answer = denials.length > 0 ? denials.join('; ') : wordsOf(says);
  const short = answer.length > WIDEST_ANSWER ? `${answer.slice(0, WIDEST_ANSWER - 3)}...` : answer;
  return [family.padEnd(20), attack.padEnd(18), profile.padEnd(11), by.padEnd(11), short].join(' ');
}

function wordsOf({ honest: _, ...says }: Row['says']): string {
  return Object.entries(says)
    .map(([step, word]) => `${step} ${word}`)
    .join(', ');
}
