/** Checks the decisions about a profile version by its answer of the API and by public keys: nothing else is asked. */
import { canonicalProfile, parseProfile, parseStatement, sha256, type TrustedKeys, verifySigned } from '#lib/profiles';
import { z } from 'zod';

const signed = z.object({ statement: z.string(), signature: z.string() });
/** What is needed of `GET /api/v1/profiles/{id}`. */
const version = z.object({
  applicationId: z.string(),
  contentDigest: z.string(),
  architecture: z.string(),
  digest: z.string(),
  profile: z.unknown(),
  decisions: z.array(signed).min(1),
});
/** A decision alone says of itself what it is about. */
const document = z.union([version, signed]);

export interface VerifiedDecision {
  /** `3 approved 2f1c...`: its sequence, what was decided, and the key. */
  readonly title: string;
  /** Null where the decision is right. */
  readonly problem: string | null;
}

/** Throws Error for what is neither a profile version with decisions nor a decision. */
export function verifyDecisions(text: string, trusted: TrustedKeys): readonly VerifiedDecision[] {
  const given = document.safeParse(parsed(text));
  if (!given.success) throw new Error('not an answer of GET /api/v1/profiles/{id} with decisions, nor one decision');
  const { data } = given;
  if ('decisions' in data) return data.decisions.map((decision) => verified(decision, trusted, data));
  return [verified(data, trusted, null)];
}

function verified(
  decision: z.infer<typeof signed>,
  trusted: TrustedKeys,
  about: z.infer<typeof version> | null,
): VerifiedDecision {
  const claimed = parseStatement(decision.statement);
  const title = claimed
    ? `${claimed.sequence} ${claimed.stage} ${claimed.profileDigest} key ${claimed.keyId ?? 'not named'}`
    : 'no statement';
  const statement = verifySigned(trusted, decision);
  if (!statement) return { title, problem: 'no trusted key has signed it' };
  if (about === null) return { title, problem: null };
  const { application, contentDigest, architecture, profileDigest } = statement;
  if (profileDigest !== about.digest) return { title, problem: 'it is about another profile' };
  if (digestOfProfile(about.profile) !== about.digest) {
    return { title, problem: 'the profile does not have the digest that was decided about' };
  }
  const isOther =
    application !== about.applicationId || contentDigest !== about.contentDigest || architecture !== about.architecture;
  return { title, problem: isOther ? 'it is about another build' : null };
}

function digestOfProfile(profile: unknown): string | null {
  try {
    return sha256(canonicalProfile(parseProfile(JSON.stringify(profile))));
  } catch {
    return null;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error('not JSON', { cause });
  }
}
