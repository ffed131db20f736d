/** Reads the applications of a tenant and their builds. */
import { Application } from '#lib/database';
import { type EntityManager } from 'typeorm';
import { type z } from 'zod';
import { PorinError } from '../errors/porin-error.js';
import { learningOf } from '../profiles/find-learning.js';
import {
  type applicationDetail,
  type applicationListQuery,
  type buildList,
  BUILDS_SHOWN,
} from './application-answers.js';

type Builds = z.input<typeof buildList>['builds'];

/** Throws not-found, for another tenant's application too. */
export async function findApplication(manager: EntityManager, tenant: string, id: string): Promise<Application> {
  const application = await manager.findOneBy(Application, { id, tenant });
  if (!application) throw new PorinError('not-found', `There is no application ${id}.`);
  return application;
}

/** Newest first. */
export function listApplications(
  manager: EntityManager,
  tenant: string,
  { name, limit, after }: z.infer<typeof applicationListQuery>,
): Promise<Application[]> {
  const select = manager
    .createQueryBuilder(Application, 'application')
    .where('application.tenant = :tenant', { tenant })
    .orderBy('application.created_at', 'DESC')
    .addOrderBy('application.id', 'DESC')
    .limit(limit);
  if (name !== undefined) select.andWhere('application.name = :name', { name });
  if (after !== undefined) {
    select.andWhere(
      '(application.created_at, application.id) < (SELECT created_at, id FROM application WHERE id = :after)',
      { after },
    );
  }
  return select.getMany();
}

/** Throws not-found. */
export async function describeApplication(
  manager: EntityManager,
  tenant: string,
  id: string,
): Promise<z.input<typeof applicationDetail>> {
  const application = await findApplication(manager, tenant, id);
  return { ...application, builds: await listBuilds(manager, id, { limit: BUILDS_SHOWN }) };
}

/** Newest first. */
export async function listBuilds(
  manager: EntityManager,
  applicationId: string,
  { limit, after }: { limit: number; after?: string | undefined },
): Promise<Builds> {
  const versionIn = (state: string) =>
    `(SELECT id FROM profile_version AS version WHERE version.build_id = build.id AND version.state = '${state}')`;
  const builds: Omit<Builds[number], 'learning'>[] = await manager.query(
    `SELECT id, content_digest AS "contentDigest", architecture, image_reference AS "imageReference",
       repository_digest AS "repositoryDigest", created_at AS "createdAt",
       ${versionIn('APPROVED')} AS "approvedProfileId", ${versionIn('PROPOSED')} AS "proposedProfileId",
       (SELECT count(*)::int FROM recording JOIN executor_run AS run ON run.id = recording.executor_run_id
        WHERE run.build_id = build.id) AS recordings
     FROM build WHERE application_id = $1
       AND ($2::uuid IS NULL OR (created_at, id) < (SELECT created_at, id FROM build WHERE id = $2))
     ORDER BY created_at DESC, id DESC LIMIT $3`,
    [applicationId, after ?? null, limit],
  );
  const learning = await learningOf(
    manager,
    builds.map(({ id }) => id),
  );
  return builds.flatMap((build) => {
    const stands = learning.get(build.id);
    return stands ? [{ ...build, learning: stands }] : [];
  });
}
