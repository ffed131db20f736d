/** Whether a run that was refused calls can be helped by a next version of its build's profile, by itself alone. */
import {
  DEFAULT_CEILING,
  deniedRecording,
  grantedNames,
  type MergeOptions,
  type Profile,
  type ProfileState,
  type Recording,
} from '#lib/profiles';
import { learnProfile } from '../propose/learn-profile.js';
import { type DeniedRecording } from './choose-evidence.js';
import { type RefusedRun } from './denied-runs.js';

export interface JudgeOptions {
  /** With the approved profile as basedOn. */
  readonly merge: MergeOptions & { readonly basedOn: Profile; readonly basedOnTaught: boolean };
  readonly approved: { readonly id: string; readonly digest: string };
  /** Digests of the build's versions that were decided against. */
  readonly declined: ReadonlyMap<string, ProfileState>;
}

export type Judgement =
  /** As if it had been made. */
  | ({ readonly kind: 'evidence' } & DeniedRecording)
  /** No decision helps a job that waits because of it. `reason`: a whole sentence. */
  | { readonly kind: 'hopeless'; readonly executorRunId: string; readonly reason: string }
  /** It asks for nothing that the approved version does not have. */
  | { readonly kind: 'settled'; readonly executorRunId: string };

export function judgeDenied(run: RefusedRun, options: JudgeOptions): Judgement {
  const { executorRunId } = run;
  const hopeless = (reason: string): Judgement => ({ kind: 'hopeless', executorRunId, reason });
  if (run.refused === null) return hopeless('What its worker stored about the refused calls cannot be read.');
  const evidence = evidenceOf({ ...run, refused: run.refused }, options.merge);
  if (evidence.kind === 'unproposable') return hopeless(evidence.reason);
  if (evidence.kind === 'nothing') return { kind: 'settled', executorRunId };
  const { recording } = evidence;
  const learned = learnProfile([], { ...options.merge, denied: [recording] });
  if (typeof learned === 'string') return hopeless(`No profile can allow them: ${learned}.`);
  if (learned.digest === options.approved.digest) {
    if (run.profileVersionId !== options.approved.id) return { kind: 'settled', executorRunId };
    return hopeless('The approved profile has all of them, and they were refused: no other profile would change that.');
  }
  const declined = options.declined.get(learned.digest);
  if (declined) return hopeless(`A profile version that would allow them was ${declined.toLowerCase()} before.`);
  return { kind: 'evidence', executorRunId, submittedBy: run.submittedBy, recording };
}

/** Of a run that was judged before. */
export function evidenceRecording(run: RefusedRun, merge: JudgeOptions['merge']): Recording | null {
  if (run.refused === null) return null;
  const evidence = evidenceOf({ ...run, refused: run.refused }, merge);
  return evidence.kind === 'recording' ? evidence.recording : null;
}

function evidenceOf(
  run: { readonly refused: NonNullable<RefusedRun['refused']>; readonly recording: Recording | null },
  { basedOn: profile, basedOnTaught: isTaught, beyondDefault }: JudgeOptions['merge'],
) {
  const granted = grantedNames(profile.architecture, beyondDefault);
  return deniedRecording(run, { profile, isTaught, granted, ceiling: DEFAULT_CEILING });
}
