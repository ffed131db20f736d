/** The named programs of a tenant over HTTP, and what belongs to each: builds and profile versions. */
import { Body, Controller, Get, Inject, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth } from '@nestjs/swagger';
import { type ApiConfig } from '#lib/config';
import { Application, Audit } from '#lib/database';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { type Caller, CurrentCaller, NeedsRole } from '../auth/caller.js';
import { releaseUnknownContent } from '#lib/store';
import { type ErrorCode, PorinError } from '../errors/porin-error.js';
import { checkImage } from '../jobs/submit/check-image.js';
import { nextOf, pageQuery } from '../http/page.js';
import { Answers, BODY_ERRORS } from '../openapi/answers.js';
import { describeProfile, listProfiles } from '../profiles/find-profiles.js';
import {
  editedProfile,
  importedProfile,
  importedSeccomp,
  profileDetail,
  profileList,
} from '../profiles/profile-answers.js';
import { proposeEdited } from '../profiles/propose/propose-edited.js';
import { proposeImported } from '../profiles/propose/propose-imported.js';
import { API_CONFIG } from '../tokens.js';
import {
  applicationAnswer,
  applicationChange,
  type ApplicationChange,
  applicationDetail,
  applicationList,
  applicationListQuery,
  buildList,
  newApplication,
} from './application-answers.js';
import { changeApplication } from './change-application.js';
import { describeApplication, findApplication, listApplications, listBuilds } from './find-applications.js';

const idSchema = z.uuid();
const pageSchema = z.strictObject(pageQuery);
type Page = z.infer<typeof pageSchema>;
const PROPOSAL_ERRORS: readonly ErrorCode[] = [
  ...BODY_ERRORS,
  'role-required',
  'not-found',
  'wrong-profile-state',
  'profile-malformed',
  'profile-uncompilable',
];

@ApiBearerAuth()
@Controller('api/v1/applications')
export class ApplicationsController {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(API_CONFIG) private readonly config: ApiConfig,
  ) {}

  @Post()
  @NeedsRole('admin')
  @Answers({
    summary: 'Register an application',
    status: 201,
    schema: applicationAnswer,
    errors: [...BODY_ERRORS, 'role-required', 'image-invalid', 'application-exists'],
  })
  async create(
    @Body({ schema: newApplication }) body: z.infer<typeof newApplication>,
    @CurrentCaller() caller: Caller,
  ): Promise<Application> {
    checkImage(body.image);
    return this.dataSource.transaction(async (manager) => {
      const inserted = await manager
        .createQueryBuilder()
        .insert()
        .into(Application)
        .values({ ...body, tenant: caller.tenant, createdBy: caller.principalId })
        .orIgnore()
        .returning('id')
        .execute();
      const id = (inserted.raw as { id: string }[])[0]?.id;
      if (id === undefined)
        throw new PorinError('application-exists', `There is an application called ${body.name} already.`);
      await manager.insert(Audit, {
        tenant: caller.tenant,
        actor: caller.principalId,
        action: 'application.create',
        subjectType: 'application',
        subjectId: id,
        detail: body,
      });
      await releaseUnknownContent(manager, caller.tenant);
      return manager.findOneByOrFail(Application, { id });
    });
  }

  @Get()
  @Answers({ summary: 'List the applications, newest first', schema: applicationList })
  async list(
    @Query({ schema: applicationListQuery }) query: z.infer<typeof applicationListQuery>,
    @CurrentCaller() caller: Caller,
  ) {
    const applications = await listApplications(this.dataSource.manager, caller.tenant, query);
    return { applications, next: nextOf(applications, query.limit) };
  }

  @Get(':id')
  @Answers({
    summary: 'Get an application, with how its learning stands',
    schema: applicationDetail,
    errors: ['not-found'],
  })
  get(@Param('id', { schema: idSchema }) id: string, @CurrentCaller() caller: Caller) {
    return describeApplication(this.dataSource.manager, caller.tenant, id);
  }

  @Patch(':id')
  @NeedsRole('admin')
  @Answers({
    summary: 'Change an application; jobs that were submitted keep their image',
    schema: applicationAnswer,
    errors: [...BODY_ERRORS, 'role-required', 'image-invalid', 'not-found'],
  })
  change(
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: applicationChange }) body: ApplicationChange,
    @CurrentCaller() caller: Caller,
  ): Promise<Application> {
    return this.dataSource.transaction((manager) => changeApplication(manager, caller, id, body));
  }

  @Get(':id/builds')
  @Answers({ summary: 'List the builds of an application, newest first', schema: buildList, errors: ['not-found'] })
  async builds(
    @Param('id', { schema: idSchema }) id: string,
    @Query({ schema: pageSchema }) page: Page,
    @CurrentCaller() caller: Caller,
  ) {
    await findApplication(this.dataSource.manager, caller.tenant, id);
    const builds = await listBuilds(this.dataSource.manager, id, page);
    return { builds, next: nextOf(builds, page.limit) };
  }

  @Get(':id/profiles')
  @Answers({ summary: 'List the profile versions of an application', schema: profileList, errors: ['not-found'] })
  async profiles(
    @Param('id', { schema: idSchema }) id: string,
    @Query({ schema: pageSchema }) page: Page,
    @CurrentCaller() caller: Caller,
  ) {
    await findApplication(this.dataSource.manager, caller.tenant, id);
    const profiles = await listProfiles(this.dataSource.manager, caller.tenant, { ...page, applicationId: id });
    return { profiles, next: nextOf(profiles, page.limit) };
  }

  @Post(':id/profiles')
  @NeedsRole('admin')
  @Answers({
    summary: 'Propose a profile written by hand as the next version of a build; it is decided as any other',
    status: 201,
    schema: profileDetail,
    errors: PROPOSAL_ERRORS,
  })
  async propose(
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: editedProfile }) body: z.infer<typeof editedProfile>,
    @CurrentCaller() caller: Caller,
  ) {
    const versionId = await this.dataSource.transaction((manager) => proposeEdited(manager, caller, id, body));
    return describeProfile(this.dataSource.manager, caller.tenant, versionId, this.config.PORIN_BEYOND_DEFAULT);
  }

  @Post(':id/profiles/import')
  @NeedsRole('admin')
  @Answers({
    summary:
      'Propose what a seccomp profile of the OCI runtime specification, Docker or Podman allows as the next version',
    status: 201,
    schema: importedProfile,
    errors: PROPOSAL_ERRORS,
  })
  async import(
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: importedSeccomp }) body: z.infer<typeof importedSeccomp>,
    @CurrentCaller() caller: Caller,
  ) {
    const imported = await this.dataSource.transaction((manager) => proposeImported(manager, caller, id, body));
    const { manager } = this.dataSource;
    const version = await describeProfile(manager, caller.tenant, imported.id, this.config.PORIN_BEYOND_DEFAULT);
    return { ...version, report: imported.report };
  }
}
