/** What the words of porin-recorder's lines are made of. */
import { RecorderError } from './recorder-error.js';

/** @throws RecorderError `protocol` */
export function wholeNumber(text: string | undefined, line: string): number {
  const value = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw unexpected(line);
  return value;
}

export function unexpected(line: string): RecorderError {
  return new RecorderError(
    'protocol',
    `porin-recorder wrote a line that is not of its protocol: ${JSON.stringify(line.slice(0, 200))}`,
  );
}
