/** Holds parameters and bodies to their zod schemas. */
import { StandardSchemaValidationPipe } from '@nestjs/common';
import { PorinError } from '../errors/porin-error.js';

const PROBLEMS_SHOWN = 50;
const PROBLEM_CHARACTERS = 300;

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

export class SchemaPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({ exceptionFactory: toInvalidRequest });
  }

  /** Nest would delete members called __proto__ and constructor without a word. Ours are names like any other: nothing is assigned by them. */
  protected override stripProtoKeys(): void {
    // Nothing is stripped.
  }
}

/** One line a problem, and not more than a client reads. */
export function toInvalidRequest(issues: readonly Issue[]): PorinError {
  const problems = issues.slice(0, PROBLEMS_SHOWN).map(({ path = [], message }) => {
    const where = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
    return cut(where ? `${where}: ${message}` : message);
  });
  return new PorinError('invalid-request', `The request has ${issues.length} problem(s).`, { problems });
}

/** A message may repeat what was sent, however long that is. */
function cut(problem: string): string {
  return problem.length > PROBLEM_CHARACTERS ? `${problem.slice(0, PROBLEM_CHARACTERS)}...` : problem;
}
