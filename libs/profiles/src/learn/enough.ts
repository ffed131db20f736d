/** When recordings are enough to learn from: of those that hold what is to be learned. */
import { type Profile } from '../model/profile.js';
import { type Origins } from '../model/origins.js';
import { type Recording } from '../model/recording.js';
import { type Closure } from './closure.js';

export interface LearningRun {
  readonly inputsDigest: string;
  readonly recording: Recording;
}

export interface LearningOptions {
  /** Recordings needed, at least 1. */
  readonly needed: number;
  /** Different inputs among them needed, at least 1. */
  readonly distinctInputs: number;
  /** The approved profile that the new one may only widen: what it allows was reviewed. */
  readonly basedOn?: Profile | null;
  /**
   * Whether recordings or a person gave `basedOn` its conditions: then none is taken away. Default: whether it has any
   * beyond those that hold without having been seen.
   */
  readonly basedOnTaught?: boolean;
  /** Why `basedOn` has its calls. */
  readonly basedOnOrigins?: Origins;
  /** Default `families`. */
  readonly closure?: Closure;
  /** See ClosureOptions. */
  readonly beyondDefault?: readonly string[];
}

/** Of an addition to what was approved, one recording is: a person decides whether it is believed. */
export function isEnough(runs: readonly LearningRun[], options: LearningOptions): boolean {
  return options.basedOn ? runs.length > 0 : isEnoughAtFirst(runs, options);
}

/** What is restricted for the first time (calls, arguments, files, processes) is so by as many as the application asks for. */
export function isEnoughAtFirst(runs: readonly LearningRun[], { needed, distinctInputs }: LearningOptions): boolean {
  const inputs = new Set(runs.map(({ inputsDigest }) => inputsDigest));
  return runs.length > 0 && runs.length >= needed && inputs.size >= distinctInputs;
}
