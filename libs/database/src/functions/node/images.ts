/** Which images a node's attempts have used: it keeps those that were used last. */
import { type SqlFunction } from '../sql-function.js';
import { nodeFunction } from './node-function.js';

const GIVEN = `ARRAY(SELECT jsonb_array_elements_text(input->'repositoryDigests'))`;

export const IMAGES: readonly SqlFunction[] = [
  // Of these repository digests those that attempts of the caller have used, the last used first.
  nodeFunction(
    'node_images_by_last_use',
    `
BEGIN
  RETURN (SELECT coalesce(jsonb_agg(digest ORDER BY last_used DESC, digest), '[]') FROM (
    SELECT executor.repository_digest AS digest, max(attempt.started_at) AS last_used
    FROM porin.executor JOIN porin.attempt USING (job_id)
    WHERE attempt.node_id = porin.calling_node() AND executor.repository_digest = ANY (${GIVEN})
    GROUP BY executor.repository_digest) AS used);
END`,
  ),
  // Whether an attempt that is open here runs one of them, or may yet: its executor names the repository and is not resolved.
  nodeFunction(
    'node_uses_any_image',
    `
BEGIN
  RETURN to_jsonb(EXISTS (
    SELECT FROM porin.attempt JOIN porin.executor USING (job_id), unnest(${GIVEN}) AS digest
    WHERE attempt.node_id = porin.calling_node() AND attempt.state = 'OPEN' AND CASE WHEN executor.build_id IS NULL
      THEN position(split_part(digest, '@', 1) IN executor.image) > 0 ELSE executor.repository_digest = digest END));
END`,
  ),
];
