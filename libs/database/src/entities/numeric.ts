/** Reads a bigint column as a number: every count and size of ours stays below 2^53. */
import { type ValueTransformer } from 'typeorm';

export const numeric: ValueTransformer = {
  from: (value: string | null) => (value === null ? null : Number(value)),
  to: (value: number | null | undefined) => value,
};
