/** Profile versions over HTTP: look at them, decide about them, take them elsewhere. */
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth } from '@nestjs/swagger';
import { type ApiConfig } from '#lib/config';
import {
  type ApprovalKeys,
  diffProfile,
  engineDefaultNames,
  exportOci,
  grantedNames,
  parseProfile,
} from '#lib/profiles';
import { type FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { type Caller, CurrentCaller, NeedsRole } from '../auth/caller.js';
import { type ErrorCode, PorinError } from '../errors/porin-error.js';
import { nextOf } from '../http/page.js';
import { Answers, AnswersBytes, BODY_ERRORS } from '../openapi/answers.js';
import { API_CONFIG, APPROVAL_KEYS } from '../tokens.js';
import { changeStage, type Decision, decideProfile } from './decide/decide-profile.js';
import { keptFilesText } from './review/kept-files-text.js';
import { recordingsOf } from './review/version-recordings.js';
import { describeProfile, findPrevious, findVersion, listProfiles } from './find-profiles.js';
import {
  type ApprovalRequest,
  approvalSchema,
  decisionSchema,
  exportQuery,
  type ExportQuery,
  ociSeccomp,
  profileDetail,
  profileDiff,
  profileList,
  profileListQuery,
  type ProfileListQuery,
  stageSchema,
} from './profile-answers.js';
import { profileReview } from './review/review-answer.js';
import { reviewProfile } from './review/review-profile.js';

const idSchema = z.uuid();
type DecisionRequest = z.infer<typeof decisionSchema>;
const DECISION_ERRORS: readonly ErrorCode[] = [
  ...BODY_ERRORS,
  'role-required',
  'not-found',
  'stale-digest',
  'wrong-profile-state',
  'reason-required',
  'profile-integrity',
];
const APPROVAL_ERRORS: readonly ErrorCode[] = [...DECISION_ERRORS, 'four-eyes', 'profile-uncompilable'];

@ApiBearerAuth()
@Controller('api/v1/profiles')
export class ProfilesController {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(APPROVAL_KEYS) private readonly approvalKeys: ApprovalKeys,
    @Inject(API_CONFIG) private readonly config: ApiConfig,
  ) {}

  @Get()
  @Answers({ summary: 'List profile versions, newest first', schema: profileList })
  async list(@Query({ schema: profileListQuery }) query: ProfileListQuery, @CurrentCaller() caller: Caller) {
    const profiles = await listProfiles(this.dataSource.manager, caller.tenant, query);
    return { profiles, next: nextOf(profiles, query.limit) };
  }

  @Get(':id')
  @Answers({
    summary: 'Get a profile version with its coverage, warnings and decisions',
    schema: profileDetail,
    errors: ['not-found'],
  })
  get(@Param('id', { schema: idSchema }) id: string, @CurrentCaller() caller: Caller) {
    return describeProfile(this.dataSource.manager, caller.tenant, id, this.config.PORIN_BEYOND_DEFAULT);
  }

  @Get(':id/review')
  @NeedsRole('reviewer')
  @Answers({
    summary: 'Review a profile version: what it adds by class, on whose evidence, and what it would have refused',
    schema: profileReview,
    errors: ['role-required', 'not-found'],
  })
  review(@Param('id', { schema: idSchema }) id: string, @CurrentCaller() caller: Caller) {
    return reviewProfile(this.dataSource.manager, caller, id, this.config.PORIN_BEYOND_DEFAULT);
  }

  @Get(':id/diff')
  @Answers({
    summary: 'Compare a profile version with the one before it and with the engine’s default',
    schema: profileDiff,
    errors: ['not-found'],
  })
  async diff(@Param('id', { schema: idSchema }) id: string, @CurrentCaller() caller: Caller) {
    const version = await findVersion(this.dataSource.manager, caller.tenant, id);
    const previous = await findPrevious(this.dataSource.manager, version);
    const profile = parseProfile(version.canonical);
    const diff = diffProfile(profile, previous?.profile ?? null, engineDefaultNames(profile.architecture));
    return { previousId: previous?.id ?? null, ...diff };
  }

  @Get(':id/export')
  @Answers({
    summary:
      'Export a profile version as the seccomp JSON of the OCI runtime specification, which Docker takes too. ' +
      'For docker run, podman and Kubernetes ask for runtimeCalls=true',
    schema: ociSeccomp,
    errors: ['not-found'],
  })
  async export(
    @Param('id', { schema: idSchema }) id: string,
    @Query({ schema: exportQuery }) { runtimeCalls }: ExportQuery,
    @CurrentCaller() caller: Caller,
  ) {
    const version = await findVersion(this.dataSource.manager, caller.tenant, id);
    const profile = parseProfile(version.canonical);
    const engineDefault = grantedNames(profile.architecture, this.config.PORIN_BEYOND_DEFAULT);
    return exportOci(profile, { engineDefault, runtimeCalls: runtimeCalls === 'true' });
  }

  @Get(':id/kept-files')
  @AnswersBytes({
    mediaType: 'text/plain',
    summary: 'List the files of the image that its recordings used, one path a line: what a stripped image would keep',
    errors: ['not-found'],
  })
  async keptFiles(
    @Param('id', { schema: idSchema }) id: string,
    @CurrentCaller() caller: Caller,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { manager } = this.dataSource;
    const version = await findVersion(manager, caller.tenant, id);
    const recordings = await recordingsOf(manager, version, parseProfile(version.canonical).architecture);
    const text = keptFilesText(recordings);
    if (text === null) throw new PorinError('not-found', 'No recording of monitoring "files" is behind this version.');
    await reply.type('text/plain; charset=utf-8').send(text);
  }

  @Post(':id/approve')
  @HttpCode(200)
  @NeedsRole('reviewer')
  @Answers({
    summary: 'Approve a proposed version: the next jobs of its build run under it, held ones are released',
    schema: profileDetail,
    errors: APPROVAL_ERRORS,
  })
  approve(
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: approvalSchema }) { stage, ...decision }: ApprovalRequest,
    @CurrentCaller() caller: Caller,
  ) {
    return this.decide({ kind: 'approved', startsWith: stage, ...decision }, id, caller);
  }

  @Post(':id/reject')
  @HttpCode(200)
  @NeedsRole('reviewer')
  @Answers({ summary: 'Reject a proposed version', schema: profileDetail, errors: DECISION_ERRORS })
  reject(
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: decisionSchema }) body: DecisionRequest,
    @CurrentCaller() caller: Caller,
  ) {
    return this.decide({ kind: 'rejected', ...body }, id, caller);
  }

  @Post(':id/revoke')
  @HttpCode(200)
  @NeedsRole('reviewer')
  @Answers({ summary: 'Revoke an approved version', schema: profileDetail, errors: DECISION_ERRORS })
  revoke(
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: decisionSchema }) body: DecisionRequest,
    @CurrentCaller() caller: Caller,
  ) {
    return this.decide({ kind: 'revoked', ...body }, id, caller);
  }

  @Post(':id/stage')
  @HttpCode(200)
  @NeedsRole('reviewer')
  @Answers({
    summary: 'Audit or enforce an approved version from now on; jobs that wait for that are released',
    schema: profileDetail,
    errors: DECISION_ERRORS,
  })
  async changeStage(
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: stageSchema }) body: z.infer<typeof stageSchema>,
    @CurrentCaller() caller: Caller,
  ) {
    await this.dataSource.transaction((manager) => changeStage(manager, this.approvalKeys, caller, id, body));
    return describeProfile(this.dataSource.manager, caller.tenant, id, this.config.PORIN_BEYOND_DEFAULT);
  }

  private async decide(decision: Decision, id: string, caller: Caller) {
    await this.dataSource.transaction((manager) => decideProfile(manager, this.approvalKeys, caller, id, decision));
    return describeProfile(this.dataSource.manager, caller.tenant, id, this.config.PORIN_BEYOND_DEFAULT);
  }
}
