/** The SQL of plans: whose content an image is, the build of it, and the profile that is approved for that. */
import { type Build } from '#lib/database';
import { ADHOC_PREFIX, type ImageLists } from '#lib/jobs';
import { type Architecture, type OnNewBuild, type UnknownContent } from '#lib/profiles';
import { type DataSource } from 'typeorm';
import { OPEN_ATTEMPT } from '../attempt/attempt-store.js';
import { lost } from '../attempt/lost-attempt.js';
import {
  APPLICATION_TERMS,
  type ApplicationTerms,
  type ApprovedRow,
  type AttemptKey,
  type BuildRow,
  type PinnedBuild,
} from '../attempt/claim.js';
import { type ContentOwner } from './bind-content.js';

type NewBuild = Pick<
  Build,
  'applicationId' | 'contentDigest' | 'architecture' | 'imageReference' | 'repositoryDigest' | 'layers'
>;

/** What an image is, whatever it is called. */
export interface Content {
  readonly contentDigest: string;
  readonly architecture: Architecture;
  /** Lowest first. */
  readonly layers: readonly string[];
}

export class PlanStore {
  constructor(private readonly dataSource: DataSource) {}

  /** The build of an image's content, made by whoever sees it first. */
  async findOrMakeBuild(build: NewBuild): Promise<BuildRow> {
    const known = await this.#findBuild(build);
    if (known) {
      // A worker of an earlier version did not store them.
      await this.dataSource.query('UPDATE build SET layers = $2 WHERE id = $1 AND layers IS NULL', [
        known.id,
        build.layers,
      ]);
      return known;
    }
    await this.dataSource.query(
      `INSERT INTO build (application_id, content_digest, architecture, image_reference, repository_digest, layers)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
      [
        ...[build.applicationId, build.contentDigest, build.architecture, build.imageReference],
        ...[build.repositoryDigest, build.layers],
      ],
    );
    const made = await this.#findBuild(build);
    if (!made) throw new Error(`the build ${build.contentDigest} was not made`);
    return made;
  }

  async #findBuild({ applicationId, contentDigest, architecture }: NewBuild): Promise<BuildRow | undefined> {
    const rows: { id: string }[] = await this.dataSource.query(
      `SELECT id FROM build WHERE application_id = $1 AND content_digest = $2 AND architecture = $3`,
      [applicationId, contentDigest, architecture],
    );
    return rows[0] && { id: rows[0].id, applicationId, contentDigest, architecture };
  }

  /**
   * Stored once, with the application that it is of: the first one counts, for this attempt and for every later one.
   * Resolves to what is stored.
   */
  async pinBuild(key: AttemptKey, position: number, buildId: string): Promise<PinnedBuild> {
    const rows: PinnedBuild[] = await this.dataSource.query(
      `WITH open AS (
         SELECT job_id FROM attempt WHERE ${OPEN_ATTEMPT} FOR UPDATE
       ), pinned AS (
         UPDATE executor SET build_id = build.id, application_id = build.application_id,
           bound_from = nullif(executor.application_id, build.application_id)
         FROM open, build
         WHERE build.id = $4 AND executor.job_id = open.job_id AND position = $3 AND build_id IS NULL
         RETURNING build_id
       ), stored AS (
         SELECT coalesce((SELECT build_id FROM pinned), build_id) AS build_id
         FROM executor JOIN open USING (job_id) WHERE position = $3
       )
       SELECT build.id, build.application_id AS "applicationId", content_digest AS "contentDigest",
         repository_digest AS "repositoryDigest"
       FROM stored JOIN build ON build.id = stored.build_id`,
      [key.jobId, key.number, position, buildId],
    );
    if (!rows[0]) throw lost(key);
    return rows[0];
  }

  async applicationTerms(id: string): Promise<ApplicationTerms> {
    const rows: ApplicationTerms[] = await this.dataSource.query(
      `SELECT ${APPLICATION_TERMS} FROM application WHERE id = $1`,
      [id],
    );
    if (!rows[0]) throw new Error(`there is no application ${id}`);
    return rows[0];
  }

  /**
   * Registered applications of the tenant with a build of this content, or whose image is called `reference`; and those with
   * an approved build whose layers are the lowest of this content's. Those with an approved profile first.
   */
  contentOwners(tenant: string, { contentDigest, architecture, layers }: Content, reference: string) {
    return this.dataSource.query<ContentOwner[]>(
      `WITH known AS (
         SELECT build.application_id, build.content_digest = $2 AS is_equal,
           EXISTS (SELECT FROM profile_version WHERE build_id = build.id AND state = 'APPROVED') AS has_approved
         FROM build JOIN application ON application.id = build.application_id
         WHERE application.tenant = $1 AND build.architecture = $3
           AND (build.content_digest = $2 OR (build.layers <> '{}' AND build.layers = ($4::text[])[1:cardinality(build.layers)]))
       ), owners AS (
         SELECT application.id AS "applicationId", name, command_prefix AS "commandPrefix",
           CASE WHEN image = $5 OR coalesce(bool_or(is_equal), false) THEN 'content' ELSE 'layers' END AS match,
           coalesce(bool_or(has_approved), false) AS "hasApproved"
         FROM application LEFT JOIN known ON known.application_id = application.id AND (is_equal OR has_approved)
         WHERE tenant = $1 AND NOT starts_with(name, $6) AND (image = $5 OR known.application_id IS NOT NULL)
         GROUP BY application.id
       )
       SELECT * FROM owners ORDER BY "hasApproved" DESC, match = 'content' DESC, name`,
      [tenant, contentDigest, architecture, layers, reference, ADHOC_PREFIX],
    );
  }

  async hasApprovedBuild(applicationId: string, { contentDigest, architecture }: Content): Promise<boolean> {
    const rows: unknown[] = await this.dataSource.query(
      `SELECT FROM build JOIN profile_version AS version ON version.build_id = build.id AND version.state = 'APPROVED'
       WHERE application_id = $1 AND content_digest = $2 AND build.architecture = $3`,
      [applicationId, contentDigest, architecture],
    );
    return rows.length > 0;
  }

  /**
   * What becomes of a build without an approved profile: null where the policy decides, as no other build of its application
   * has one. It waits for a person where a person took away or refused a profile of this very build, which is no new one
   * then, and where no approval verified that it could inherit by.
   */
  async onNewBuild({ id, applicationId, architecture }: BuildRow, setting: OnNewBuild): Promise<OnNewBuild | null> {
    const [siblings]: { isDecidedAgainst: boolean; isFailed: boolean }[] = await this.dataSource.query(
      `SELECT EXISTS (SELECT FROM profile_version WHERE build_id = own.id AND state IN ('REJECTED', 'REVOKED')) AS "isDecidedAgainst",
         coalesce(max(version.decided_at) <= own.inheritance_failed_at, false) AS "isFailed"
       FROM build AS own JOIN build ON build.application_id = $1 AND build.architecture = $2 AND build.id <> own.id
       JOIN profile_version AS version ON version.build_id = build.id AND version.state = 'APPROVED'
       WHERE own.id = $3 GROUP BY own.id`,
      [applicationId, architecture, id],
    );
    if (!siblings) return null;
    return setting === 'inherit' && (siblings.isDecidedAgainst || siblings.isFailed) ? 'hold' : setting;
  }

  /** What jobs on unknown content get; a tenant without a setting has the default. */
  async unknownContent(tenant: string): Promise<UnknownContent> {
    const rows: { unknownContent: UnknownContent }[] = await this.dataSource.query(
      `SELECT unknown_content AS "unknownContent" FROM tenant_setting WHERE tenant = $1`,
      [tenant],
    );
    return rows[0]?.unknownContent ?? 'hold';
  }

  /** A tenant's own lists; null: the grid's hold alone. */
  async imageLists(tenant: string): Promise<{ [List in keyof ImageLists]: ImageLists[List] | null }> {
    const rows: { registries: string[] | null; local: string[] | null }[] = await this.dataSource.query(
      `SELECT image_registries AS registries, local_images AS local FROM tenant_setting WHERE tenant = $1`,
      [tenant],
    );
    return rows[0] ?? { registries: null, local: null };
  }

  /** `knownList`: the signature of a list that the caller has, whose text is not sent again. One statement, so that both are of one moment. */
  async approvedProfile(buildId: string, knownList: string | null): Promise<ApprovedRow | null> {
    const rows: ApprovedRow[] = await this.dataSource.query(
      `SELECT id, digest, canonical, version.statement, version.signature, audit_over AS "auditOver",
         review_since IS NOT NULL AS "isUnderReview",
         (SELECT jsonb_build_object('signature', signature, 'text', CASE WHEN signature IS DISTINCT FROM $2 THEN text END)
          FROM approval_list ORDER BY approval_list.number DESC LIMIT 1) AS list
       FROM profile_version AS version WHERE build_id = $1 AND state = 'APPROVED'`,
      [buildId, knownList],
    );
    return rows[0] ?? null;
  }
}
