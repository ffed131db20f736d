/** Which images a node's attempts have used, and which it is to look for: it keeps those that were used last. */
import { ADHOC_PREFIX, ATTEMPT_IS_OPEN } from '#lib/jobs';
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
    WHERE attempt.node_id = porin.calling_node() AND ${ATTEMPT_IS_OPEN} AND CASE WHEN executor.build_id IS NULL
      THEN position(split_part(digest, '@', 1) IN executor.image) > 0 ELSE executor.repository_digest = digest END));
END`,
  ),
  // The oldest application whose image no node has found and the caller has not looked for, with its tenant's lists. No more
  // of it: an image is all that is to be looked for.
  nodeFunction(
    'node_next_image',
    `
DECLARE self uuid := porin.calling_node();
BEGIN
  RETURN (SELECT jsonb_build_object('applicationId', application.id, 'image', application.image, 'lists', jsonb_build_object(
      'registries', to_jsonb(setting.image_registries), 'local', to_jsonb(setting.local_images)))
    FROM porin.application LEFT JOIN porin.tenant_setting AS setting ON setting.tenant = application.tenant
    WHERE image_state <> 'found' AND NOT starts_with(name, '${ADHOC_PREFIX}') AND NOT self = ANY (image_looked_at)
      AND NOT application.id = ANY (ARRAY(SELECT jsonb_array_elements_text(input->'skipped'))::uuid[])
    ORDER BY created_at LIMIT 1);
END`,
  ),
  // Once of each node, and nothing where the application has another image by now, or another node has found it.
  nodeFunction(
    'node_store_image_check',
    `
DECLARE
  self uuid := porin.calling_node();
  problem text := left(input->>'problem', 1000);
BEGIN
  UPDATE porin.application SET image_state = CASE WHEN problem IS NULL THEN 'found' ELSE 'not-found' END,
    image_problem = problem, image_checked_at = now(),
    image_looked_at = CASE WHEN problem IS NULL THEN '{}' ELSE image_looked_at || self END
  WHERE id = (input->>'applicationId')::uuid AND image = input->>'image' AND image_state <> 'found'
    AND NOT self = ANY (image_looked_at);
  RETURN NULL;
END`,
  ),
];
