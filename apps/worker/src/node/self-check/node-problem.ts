/** What is wrong with a node, in words for the person who runs it. */

export interface NodeProblem {
  readonly check: 'recorder' | 'engine' | 'runc' | 'disk' | 'clock' | 'cores' | 'memory' | 'images' | 'user-ids';
  /** A worker does not start with a severe problem. */
  readonly severe: boolean;
  readonly problem: string;
  /** What the operator can do about it. */
  readonly advice: string;
}

export class NodeRefusedError extends Error {
  override readonly name = 'NodeRefusedError';
  readonly code = 'node-refused';

  constructor(problems: readonly NodeProblem[]) {
    super(
      problems.map(({ check, problem, advice }) => `This node cannot work (${check}): ${problem} ${advice}`).join('\n'),
    );
  }
}
