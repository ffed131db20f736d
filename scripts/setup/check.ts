/** A step of the machine's set-up: what must be there, and how it gets there. */

export interface Check {
  readonly name: string;
  /** True when there is nothing to do; also asked after `install`, which must have made it true. */
  readonly have: () => boolean;
  readonly install: (log: (message: string) => void) => void;
}

/** What a person must do before Porin can go on; its message says what to type. */
export class SetupError extends Error {
  readonly code = 'setup';
}

/** In the given order. Throws SetupError at the first check that cannot be met. */
export function meetChecks(checks: readonly Check[], log: (message: string) => void): void {
  for (const check of checks) {
    if (check.have()) continue;
    check.install(log);
    if (!check.have()) throw new SetupError(`${check.name}: installed, but its check still fails`);
  }
}
