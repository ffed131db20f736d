/** The names of the programs that the benches measure. */

export const EDF_PROGRAM = 'edf-normalize';
/** Prints what calls cost; its own wall time says nothing. */
export const CALLS_PROGRAM = 'calls';
/** The same program, with a profile that refuses the calls. */
export const REFUSED_PROGRAM = 'refused';

/** Those whose wall time is measured. */
export const PROGRAM_NAMES = [EDF_PROGRAM, 'tar', 'threads', 'shell'] as const;
export type ProgramName = (typeof PROGRAM_NAMES)[number];
