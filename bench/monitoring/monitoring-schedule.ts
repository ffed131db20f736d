/** How often the monitoring bench runs which program at which level: most where a bar is tight, least where a run takes long. */
import { type Schedule } from '../measure/block-plan.js';
import { type LevelName } from '../runs/levels.js';
import { CALLS_PROGRAM, EDF_PROGRAM, type ProgramName, REFUSED_PROGRAM } from '../programs/program-names.js';

type Frequencies = Schedule[string];

/** Fewer prove nothing. */
export const ENOUGH_BLOCKS = 80;

/** A few per cent have to be told from none. */
const TIGHT: Frequencies = { 'enforce-files': 1, arguments: 1, files: 1 };
/** Measured for the table alone. */
const OTHERS: readonly LevelName[] = [
  'enforce',
  'enforce-arguments',
  'enforce-files',
  'audit',
  'syscalls',
  'arguments',
];
const SLOW: Frequencies = { 'trace-notify': 20, bpftrace: 20, strace: 30 };

/** As slow as strace or slower, and without a bar. */
const SLOWEST: Frequencies = { trace: 40 };

const EDF: Frequencies = { ...every(10, OTHERS), ...TIGHT, ...SLOW, ...SLOWEST };
const OTHER_PROGRAM: Frequencies = { ...every(20, OTHERS), files: 10, ...SLOW };
const CALLS: Frequencies = { ...every(10, [...OTHERS, 'files', 'trace-notify', 'bpftrace', 'strace']), ...SLOWEST };

export interface Chosen {
  readonly programs: readonly ProgramName[];
  readonly levels: readonly LevelName[];
}

export function monitoringSchedule({ programs, levels }: Chosen): Schedule {
  const schedule: Schedule = {
    ...Object.fromEntries(programs.map((name) => [name, name === EDF_PROGRAM ? EDF : OTHER_PROGRAM])),
    [CALLS_PROGRAM]: CALLS,
    [REFUSED_PROGRAM]: { enforce: 20 },
  };
  return Object.fromEntries(
    Object.entries(schedule).map(([program, frequencies]) => [program, only(frequencies, levels)]),
  );
}

/** What is measured again where the control is too wide: the tight bars. */
export function furtherSchedule({ programs, levels }: Chosen): Schedule {
  return programs.includes(EDF_PROGRAM) ? { [EDF_PROGRAM]: only(TIGHT, levels) } : {};
}

function every(blocks: number, levels: readonly LevelName[]): Frequencies {
  return Object.fromEntries(levels.map((level) => [level, blocks]));
}

function only(frequencies: Frequencies, levels: readonly LevelName[]): Frequencies {
  return Object.fromEntries(Object.entries(frequencies).filter(([level]) => levels.some((name) => name === level)));
}
