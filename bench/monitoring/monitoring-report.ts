/** From the runs of the monitoring bench to figures per level, and a verdict on each bar. */
import { bootstrapInterval, type BootstrapOptions, median } from '#lib/overhead';
import { CALLS, REFUSED_CALLS } from '../programs/calls.js';
import { type Check } from '../report/checks.js';
import { LEVEL_NAMES } from '../runs/levels.js';
import {
  baselined,
  type Figure,
  type MeasuredRun,
  medians,
  nsOf,
  ofProgram,
  perLevel,
  type PerLevel,
  valuesAt,
  wallUs,
} from '../measure/measured-runs.js';
import { monitoringChecks, type MonitoringFigures } from './monitoring-bars.js';
import { type Pooled, pooledDifference, pooledRatio } from '../report/pooled.js';
import { CALLS_PROGRAM, PROGRAM_NAMES, REFUSED_PROGRAM } from '../programs/program-names.js';

export interface MonitoringReport extends MonitoringFigures {
  readonly medianWallUs: Readonly<Record<string, PerLevel<number>>>;
  readonly checks: readonly Check[];
}

export function monitoringReport(runs: readonly MeasuredRun[], options: BootstrapOptions): MonitoringReport {
  const against = (of: readonly MeasuredRun[], figure: Figure, pool: typeof pooledRatio): PerLevel<Pooled> =>
    perLevel(LEVEL_NAMES, (level) => {
      const blocks = baselined(of, level, figure);
      return blocks.length === 0 ? undefined : pool(blocks, options);
    });
  const programs = PROGRAM_NAMES.map((name) => ({ name, runs: ofProgram(runs, name) })).filter(
    (program) => program.runs.length > 0,
  );
  const calls = ofProgram(runs, CALLS_PROGRAM);
  const refused = REFUSED_CALLS.map((call) => ({
    call,
    values: valuesAt(ofProgram(runs, REFUSED_PROGRAM), 'enforce', nsOf(call)),
  })).filter(({ values }) => values.length > 0);
  const figures: MonitoringFigures = {
    ratios: Object.fromEntries(programs.map((program) => [program.name, against(program.runs, wallUs, pooledRatio)])),
    addedNs: Object.fromEntries(CALLS.map((call) => [call, against(calls, nsOf(call), pooledDifference)])),
    nsPerCall: Object.fromEntries(CALLS.map((call) => [call, medians(calls, nsOf(call))])),
    refusedNs: Object.fromEntries(
      refused.map(({ call, values }) => [
        call,
        { median: median(values), ...bootstrapInterval(values, median, options), pairs: values.length },
      ]),
    ),
  };
  return {
    ...figures,
    medianWallUs: Object.fromEntries(programs.map((program) => [program.name, medians(program.runs, wallUs)])),
    checks: monitoringChecks(figures),
  };
}
