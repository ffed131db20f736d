/** The ways from a proposed profile to enforced jobs that the bench tries. */
import { type LearnedProfile } from './learned-profile.js';
import { type Learner } from './learner.js';

/** `direct`: an administrator approves what is proposed at once, without a look. */
export const MODES = {
  direct: (learner: Learner, proposed: LearnedProfile) => learner.approve(proposed),
} as const satisfies Record<string, (learner: Learner, proposed: LearnedProfile) => Promise<void>>;

export type ModeName = keyof typeof MODES;
export const MODE_NAMES = Object.keys(MODES) as readonly ModeName[];
