/** Refuses a job whose inputs or outputs no tenant, or only another one, may name. */
import { type Job } from '#lib/database';
import { describePrefixes, isUrlAllowed, outputTargetProblems, parseDataUrl, type PrefixRule } from '#lib/jobs';
import { PorinError } from '../../errors/porin-error.js';
import { type TenantPrefixes } from '../../tenant/tenant-prefixes.js';

/**
 * The nodes hold the same rules, and their own prefixes. Throws input-not-allowed and output-not-allowed, and invalid-request
 * where a job that is repeated is older than the rule that its outputs must go to places of their own.
 */
export function checkReferences(
  { inputs, outputs }: Pick<Job, 'inputs' | 'outputs'>,
  { inputPrefixes, outputPrefixes, foreignPrefixes: foreign }: TenantPrefixes,
): void {
  const urls = inputs.flatMap(({ url }) => (url === undefined ? [] : [url]));
  check(urls, 'input-not-allowed', { prefixes: inputPrefixes, foreign });
  check(
    outputs.map(({ url }) => url),
    'output-not-allowed',
    { prefixes: outputPrefixes, foreign },
  );
  const problems = outputTargetProblems(outputs).map(({ at, message }) => `${at}: ${message}`);
  if (problems.length > 0) {
    throw new PorinError('invalid-request', `The request has ${problems.length} problem(s).`, { problems });
  }
}

function check(urls: readonly string[], code: 'input-not-allowed' | 'output-not-allowed', rule: PrefixRule): void {
  for (const url of urls) {
    // A job that is repeated may be older than the grammar.
    const { problem } = parseDataUrl(url);
    if (problem !== null) throw PorinError.of(code, { url, detail: `The URL ${problem}.` });
    if (!isUrlAllowed(url, rule)) throw PorinError.of(code, { url, detail: describePrefixes(rule.prefixes) });
  }
}
