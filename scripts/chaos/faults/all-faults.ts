/** Every fault that chaos knows. */
import { type Fault } from './fault.js';
import { NODE_FAULTS } from './nodes.js';
import { PROGRAM_FAULTS } from './programs.js';
import { SERVICE_FAULTS } from './services.js';

export const ALL_FAULTS: readonly Fault[] = [...PROGRAM_FAULTS, ...SERVICE_FAULTS, ...NODE_FAULTS];

/** Whose names contain one of the texts; all without any. */
export function faultsNamed(texts: readonly string[]): readonly Fault[] {
  if (texts.length === 0) return ALL_FAULTS;
  return ALL_FAULTS.filter(({ name }) => texts.some((text) => name.toLowerCase().includes(text.toLowerCase())));
}
