/**
 * The ways from a proposed profile to enforced jobs that the bench tries. `stages`: an administrator approves what is
 * proposed, without a look, for an audit, and Porin enforces it once the audit is quiet. `direct`: it is enforced at once.
 */
export const MODE_NAMES = ['stages', 'direct'] as const;
export type ModeName = (typeof MODE_NAMES)[number];
