/** A learned profile in figures: what it allows and where that comes from, what it closes, when it stopped growing. */
import { allowedNames, type Origin, parseProfile, type Profile } from '#lib/profiles';
import { z } from 'zod';

/** What the bench reads of the answer of GET /api/v1/profiles/{id}. */
export const profileAnswerSchema = z.object({
  id: z.string(),
  digest: z.string(),
  profile: z.record(z.string(), z.unknown()),
  recordings: z.array(z.unknown()),
  origins: z.record(z.string(), z.object({ origin: z.string(), family: z.string().nullish() })).optional(),
});
export type ProfileAnswer = z.infer<typeof profileAnswerSchema>;

export interface LearnedProfile {
  readonly id: string;
  readonly digest: string;
  readonly profile: Profile;
  readonly recordings: number;
  /** Call -> where it comes from, of every call that the profile allows. */
  readonly origins: Readonly<Record<string, string>>;
}

export function learnedProfileOf({ id, digest, profile, recordings, origins }: ProfileAnswer): LearnedProfile {
  const parsed = parseProfile(JSON.stringify(profile));
  return {
    id,
    digest,
    profile: parsed,
    recordings: recordings.length,
    origins: Object.fromEntries(allowedNames(parsed).map((name) => [name, origins?.[name]?.origin ?? 'seen'])),
  };
}

export function allowedBy({ origins }: LearnedProfile): readonly string[] {
  return Object.keys(origins);
}

/** Of calls that a recording had, of a run without a profile or one under audit. */
export const RECORDED_ORIGINS: readonly string[] = ['seen', 'audit'] satisfies readonly Origin[];

export function allowedFrom({ origins }: LearnedProfile, from: readonly string[]): number {
  return Object.values(origins).filter((each) => from.includes(each)).length;
}

/**
 * `allowed[n]` is what a profile allows after n + 1 recorded runs. Returns the number of runs after which it was what it
 * is after all of them; null when the last one still brought a call, or there were fewer than two.
 */
export function runsToStable(allowed: readonly (readonly string[])[]): number | null {
  if (allowed.length < 2) return null;
  const sets = allowed.map((names) => names.toSorted().join());
  const stableFrom = sets.findIndex((set) => set === sets.at(-1)) + 1;
  return stableFrom === allowed.length ? null : stableFrom;
}
