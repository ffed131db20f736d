/** The JSON that a bench writes to .porin/bench/<name>.json, for other programs to read. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PairedRatio } from '#lib/overhead';
import { PORIN_DIR } from '../../scripts/setup/paths.js';
import { type Environment } from '../machine/environment.js';

export interface BenchResult {
  readonly environment: Environment;
  /** Call -> level -> nanoseconds. */
  readonly nsPerCall: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Program -> level -> ratio to (none, none). */
  readonly ratios: Readonly<Record<string, Readonly<Record<string, PairedRatio>>>>;
}

/** Every run of a bench, for whoever wants to know more than its medians: .porin/bench/<name>.runs.json. */
export function writeRuns(name: string, runs: Readonly<Record<string, unknown>>): void {
  write(`${name}.runs`, `${JSON.stringify(runs)}\n`);
}

/** Returns the path. `more` are the keys of one bench alone. */
export function writeResult(name: string, result: BenchResult, more: Readonly<Record<string, unknown>> = {}): string {
  return write(name, renderResult(result, more));
}

/** Returns the path. For a bench whose figures are no times. */
export function writeJson(name: string, result: Readonly<Record<string, unknown>>): string {
  return write(name, `${JSON.stringify(result, null, 2)}\n`);
}

export function renderResult(result: BenchResult, more: Readonly<Record<string, unknown>> = {}): string {
  const { environment, nsPerCall, ratios } = result;
  return `${JSON.stringify({ environment, nsPerCall, ratios, ...more }, null, 2)}\n`;
}

function write(name: string, text: string): string {
  const directory = join(PORIN_DIR, 'bench');
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${name}.json`);
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
  return path;
}
