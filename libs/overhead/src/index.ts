export * from './overhead-report.js';
export {
  aaHalfWidth,
  AA_HALF_WIDTH_MAXIMUM,
  type Pair,
  type PairedRatio,
  pairedRatio,
  type Verdict,
  verdict,
} from './paired-ratio.js';
export { isPlausibleUsage, type Usage } from './plausible-usage.js';
export * from './statistics.js';
