/** How a node takes a job: by compare-and-set, within what `porin-admin node add` lets it have. */
import { ATTEMPT_IS_OPEN, DEFAULT_MAXIMUM_IMAGE_BYTES } from '#lib/jobs';
import { type SqlFunction } from '../sql-function.js';
import { helperFunction, nodeFunction } from './node-function.js';

/** Of PORIN_LEASE_MS, its least and its most. */
export const LEASE_S = "least(greatest((input->>'leaseMs')::float8, 1000), 600000) / 1000";

/** Of an attempt and its job: it has staged something that nobody has removed, and no manifest to be carried out stands on it. */
export const LEAVES_STAGED = `attempt.staging_token IS NOT NULL AND NOT ${ATTEMPT_IS_OPEN} AND (job.ended_at IS NOT NULL OR NOT EXISTS (
  SELECT FROM porin.publication WHERE publication.job_id = attempt.job_id AND publication.attempt_number = attempt.number))`;

/** What an application says of its jobs, as members of a JSON object. */
export const APPLICATION_TERMS = `'applicationId', application.id, 'applicationName', application.name,
  'policy', application.policy, 'onDenial', application.on_denial, 'onNewBuild', application.on_new_build`;

/** Of a row `job` to be claimed: where its payload has ended, nothing but a slot. */
function asked(column: string, job = 'job'): string {
  return `CASE WHEN ${job}.publishing_since IS NULL THEN ${job}.${column} ELSE 0 END`;
}

/** By attempts of the node, and by `of_job` with them. */
function held(column: string): string {
  return `coalesce(sum(CASE WHEN attempt.started_at > job.publishing_since THEN 0 ELSE job.${column} END), 0)
        + ${asked(column, 'of_job')}`;
}

export const CLAIM: readonly SqlFunction[] = [
  // The job where the node may claim this attempt of it. Fence and dispatched fence agree only while the attempt is placed on
  // the node.
  helperFunction(
    'claimable',
    'of_job uuid, of_attempt integer',
    'SETOF porin.job',
    `
BEGIN
  RETURN QUERY SELECT job.* FROM porin.job JOIN porin.node ON node.id = porin.calling_node()
  WHERE job.id = of_job AND job.state = 'QUEUED' AND job.fence = of_attempt AND job.dispatched_fence = of_attempt
    AND job.placed_node_id = node.id AND job.architecture = node.architecture AND node.registration_verified
    AND NOT EXISTS (SELECT FROM porin.attempt WHERE job_id = job.id AND number = job.fence);
END`,
  ),
  // What the job asks of the node beside a slot; null where it is not there to be claimed.
  nodeFunction(
    'node_peek',
    `
BEGIN
  RETURN (SELECT jsonb_build_object('cpuMilli', ${asked('cpu_milli')}, 'memoryBytes', ${asked('memory_bytes')},
      'diskBytes', ${asked('disk_bytes')})
    FROM porin.claimable((input->>'jobId')::uuid, (input->>'attempt')::integer) AS job);
END`,
  ),
  // Whether the job is within the node's bounds beside what it holds. An attempt whose lease has run out is held no more, and
  // one that began when its job had a manifest holds a slot alone. One claim of a node at a time: the lock on its row is kept.
  helperFunction(
    'has_room',
    'self uuid, of_job porin.job',
    'boolean',
    `
DECLARE own porin.node%ROWTYPE;
BEGIN
  SELECT * INTO own FROM porin.node WHERE id = self FOR NO KEY UPDATE;
  RETURN (SELECT (own.maximum_slots IS NULL OR count(*) < own.maximum_slots)
      AND (own.maximum_cpu_milli IS NULL OR ${held('cpu_milli')} <= own.maximum_cpu_milli)
      AND (own.maximum_memory_bytes IS NULL OR ${held('memory_bytes')} <= own.maximum_memory_bytes)
      AND (own.maximum_disk_bytes IS NULL OR ${held('disk_bytes')} <= own.maximum_disk_bytes)
    FROM porin.attempt JOIN porin.job ON job.id = attempt.job_id
    WHERE attempt.node_id = self AND ${ATTEMPT_IS_OPEN} AND attempt.lease_expires_at > now());
END`,
  ),
  // Of any number of messages for an attempt, forged ones included, at most one claims it. Null where this one may not.
  nodeFunction(
    'node_claim',
    `
DECLARE
  self uuid := porin.calling_node();
  claimed porin.job%ROWTYPE;
  sealed jsonb;
BEGIN
  SELECT * INTO claimed FROM porin.claimable((input->>'jobId')::uuid, (input->>'attempt')::integer);
  IF NOT FOUND THEN RETURN NULL; END IF;
  IF NOT porin.has_room(self, claimed) THEN RETURN NULL; END IF;
  IF claimed.secrets IS NOT NULL THEN
    sealed := porin.take_sealed(self, claimed);
    IF sealed IS NULL THEN RETURN NULL; END IF;
  END IF;
  UPDATE porin.job SET state = 'INITIALIZING', waiting_reason = NULL, started_at = coalesce(started_at, now())
  WHERE id = claimed.id AND state = 'QUEUED' AND fence = claimed.fence AND dispatched_fence = claimed.fence;
  IF NOT FOUND THEN RETURN NULL; END IF;
  INSERT INTO porin.attempt (job_id, number, node_id, state, lease_expires_at)
  VALUES (claimed.id, claimed.fence, self, 'OPEN', now() + make_interval(secs => ${LEASE_S}));
  RETURN jsonb_build_object(
    'jobId', claimed.id, 'number', claimed.fence, 'tenant', claimed.tenant, 'wallTimeS', claimed.wall_time_s,
    'share', jsonb_build_object('cpuMilli', claimed.cpu_milli, 'memoryBytes', claimed.memory_bytes,
      'diskBytes', claimed.disk_bytes),
    'inputs', claimed.inputs, 'outputs', claimed.outputs, 'volumes', coalesce(to_jsonb(claimed.volumes), '[]'), 'role', claimed.submitted_role,
    'requested', jsonb_strip_nulls(jsonb_build_object('enforcement', claimed.requested_enforcement,
      'monitoring', claimed.requested_monitoring)),
    'publishOn', claimed.publish_on, 'publication', porin.manifest(claimed), 'earlierStagings', porin.earlier_stagings(claimed),
    'tenantTerms', porin.tenant_terms(claimed.tenant), 'calibration', claimed.calibration, 'block', claimed.block,
    'secrets', coalesce(sealed, '[]'),
    'queueMs', extract(epoch FROM now() - claimed.queued_at)::float8 * 1000,
    'executors', (SELECT jsonb_agg(porin.executor_terms(executor) ORDER BY position) FROM porin.executor
      WHERE job_id = claimed.id));
END`,
  ),
  // What was sealed to the node for this fence, once: nothing of it is left here. Null where that is not all that the job names.
  helperFunction(
    'take_sealed',
    'self uuid, of_job porin.job',
    'jsonb',
    `
DECLARE taken jsonb;
BEGIN
  WITH gone AS (
    DELETE FROM porin.sealed_secret WHERE job_id = of_job.id AND fence = of_job.fence AND node_id = self
    RETURNING name, kind, prefix, sealed
  )
  SELECT jsonb_agg(jsonb_build_object('name', name, 'kind', kind, 'prefix', prefix, 'sealed', sealed) ORDER BY name)
  INTO taken FROM gone;
  RETURN CASE WHEN jsonb_array_length(taken) = cardinality(of_job.secrets) THEN taken END;
END`,
  ),
  // As the job was submitted: an ad hoc application stays one, whatever its image was bound to.
  helperFunction(
    'executor_terms',
    'asked porin.executor',
    'jsonb',
    `
BEGIN
  RETURN (SELECT jsonb_build_object('position', asked.position, ${APPLICATION_TERMS},
      'image', asked.image, 'command', to_jsonb(asked.command), 'environment', asked.environment,
      'workingDirectory', asked.working_directory, 'stdin', asked.stdin, 'stdout', asked.stdout, 'stderr', asked.stderr,
      'ignoreError', asked.ignore_error,
      'build', CASE WHEN build.id IS NULL THEN 'null'::jsonb ELSE jsonb_build_object('id', build.id,
        'applicationId', build.application_id, 'contentDigest', build.content_digest,
        'repositoryDigest', asked.repository_digest) END)
    FROM porin.application LEFT JOIN porin.build ON build.id = asked.build_id
    WHERE application.id = coalesce(asked.bound_from, asked.application_id));
END`,
  ),
  // The manifest of an earlier attempt, to be carried out and nothing else; null without one.
  helperFunction(
    'manifest',
    'of_job porin.job',
    'jsonb',
    `
BEGIN
  IF of_job.publishing_since IS NULL THEN RETURN 'null'; END IF;
  RETURN (SELECT jsonb_build_object('outputs', coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('path', path, 'url', url,
      'sha256', sha256, 'bytes', bytes, 'temporary', temporary, 'upload', upload, 'isPublished', published_at IS NOT NULL))
      ORDER BY position, path COLLATE "C"), '[]'))
    FROM porin.job_output WHERE job_id = of_job.id);
END`,
  ),
  // What earlier attempts of the job may have left beside the targets of its outputs.
  helperFunction(
    'earlier_stagings',
    'of_job porin.job',
    'jsonb',
    `
BEGIN
  RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('jobId', attempt.job_id, 'number', attempt.number,
      'token', attempt.staging_token, 'outputs', coalesce(attempt.staged_files, of_job.outputs))), '[]')
    FROM porin.attempt JOIN porin.job ON job.id = attempt.job_id
    WHERE attempt.job_id = of_job.id AND ${LEAVES_STAGED});
END`,
  ),
  // What the tenant's jobs may name, what is other tenants' alone, what its images may take on a node, and what becomes of
  // content that nobody knows. A tenant without a row has the defaults.
  helperFunction(
    'tenant_terms',
    'of_tenant text',
    'jsonb',
    `
DECLARE own porin.tenant_setting%ROWTYPE;
BEGIN
  SELECT * INTO own FROM porin.tenant_setting WHERE tenant = of_tenant;
  RETURN jsonb_build_object(
    'inputPrefixes', to_jsonb(own.input_prefixes), 'outputPrefixes', to_jsonb(own.output_prefixes),
    'foreignPrefixes', to_jsonb(ARRAY(SELECT unnest(coalesce(input_prefixes, '{}') || coalesce(output_prefixes, '{}'))
      FROM porin.tenant_setting WHERE tenant <> of_tenant)),
    'imageLists', jsonb_build_object('registries', to_jsonb(own.image_registries), 'local', to_jsonb(own.local_images)),
    'maximumImageBytes', coalesce(own.max_image_bytes, ${DEFAULT_MAXIMUM_IMAGE_BYTES}),
    'unknownContent', coalesce(own.unknown_content, 'hold'));
END`,
  ),
];
