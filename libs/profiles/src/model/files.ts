/** What a profile says about files: trees of paths with rights, as Landlock can hold them. */

/**
 * `read`: files and directories' lists; `write`: into existing files, truncation; `create`: make and remove names, rename
 * and link; `execute`: execve; `list`: directories' lists alone, which `read` holds too. A right holds for the path and
 * everything below it.
 */
export const FILE_RIGHTS = ['read', 'write', 'create', 'execute', 'list'] as const;
export type FileRight = (typeof FILE_RIGHTS)[number];

/** What differs from job to job is a variable: the inputs', outputs' and temporary places of the run at hand. */
export const PATH_VARIABLES = ['{inputs}', '{outputs}', '{temporary}'] as const;
export type PathVariable = (typeof PATH_VARIABLES)[number];

export interface FileRule {
  /** Absolute and normalised, or one of PATH_VARIABLES, alone. */
  readonly path: string;
  /** In the order of FILE_RIGHTS. */
  readonly rights: readonly FileRight[];
}

/** How much of a profile's file rules the node's kernel holds, from least to most. */
export const LANDLOCK_STATUSES = ['NOT_ENFORCED', 'PARTIALLY_ENFORCED', 'FULLY_ENFORCED'] as const;
export type LandlockStatus = (typeof LANDLOCK_STATUSES)[number];

/** File rules of one run, every variable replaced: absolute paths in the container. */
export type LandlockRules = readonly FileRule[];
