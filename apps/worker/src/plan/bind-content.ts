/** Which application a job that names an image is: decided by what the image holds and how it is started, never by its name. */

/** A registered application of the tenant whose content an image is, or is built on. */
export interface ContentOwner {
  readonly applicationId: string;
  readonly name: string;
  readonly commandPrefix: readonly string[];
  /** `content`: equal, or found by the application's own reference; `layers`: of more or otherwise configured layers. */
  readonly match: 'content' | 'layers';
  /** It has an approved profile for that content, or for the content that it is built on. */
  readonly hasApproved: boolean;
}

export type Binding =
  | { readonly kind: 'application'; readonly applicationId: string; readonly hasApproved: boolean }
  /** Of a registered application's content, and not that application as it was registered: nothing may be learned of it. */
  | { readonly kind: 'other-start'; readonly owner: ContentOwner }
  | { readonly kind: 'unknown' };

/**
 * `command`: the whole argument vector. Of several that fit, one with an approved profile, then the one that says most of
 * the command.
 */
export function bindContent(command: readonly string[], owners: readonly ContentOwner[]): Binding {
  const [best] = owners
    .filter(({ match, commandPrefix }) => match === 'content' && startsWith(command, commandPrefix))
    .sort(
      (a, b) =>
        Number(b.hasApproved) - Number(a.hasApproved) ||
        b.commandPrefix.length - a.commandPrefix.length ||
        (a.applicationId < b.applicationId ? -1 : 1),
    );
  if (best) return { kind: 'application', applicationId: best.applicationId, hasApproved: best.hasApproved };
  const owner = owners[0];
  return owner ? { kind: 'other-start', owner } : { kind: 'unknown' };
}

function startsWith(command: readonly string[], prefix: readonly string[]): boolean {
  return prefix.every((word, index) => command[index] === word);
}
