/** The named secrets of a tenant over HTTP: written once, used by jobs that name them, never read back. */
import { Body, Controller, Delete, Get, Inject, Param, Put } from '@nestjs/common';
import { ApiBearerAuth } from '@nestjs/swagger';
import { type ApiConfig } from '#lib/config';
import { Secret } from '#lib/database';
import { DataSource } from 'typeorm';
import { type Caller, CurrentCaller, NeedsRole } from '../auth/caller.js';
import { Answers, BODY_ERRORS } from '../openapi/answers.js';
import { API_CONFIG } from '../tokens.js';
import { describeSecrets, listSecrets } from './find-secrets.js';
import { type NewSecret, newSecret, secretAnswer, secretList, secretName } from './secret-answers.js';
import { deleteSecret, putSecret } from './write-secret.js';

@ApiBearerAuth()
@Controller('api/v1/secrets')
export class SecretsController {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(API_CONFIG) private readonly config: ApiConfig,
  ) {}

  @Get()
  @Answers({
    summary: 'List the secrets by name, without their values; for submitters, those that their jobs may name',
    schema: secretList,
  })
  async list(@CurrentCaller() caller: Caller) {
    return { secrets: await listSecrets(this.dataSource.manager, caller) };
  }

  @Put(':name')
  @NeedsRole('admin')
  @Answers({
    summary: 'Write a secret, in the place of the one of the same name',
    schema: secretAnswer,
    errors: [...BODY_ERRORS, 'prefix-refused', 'too-many-secrets', 'secrets-not-kept'],
  })
  put(
    @Param('name', { schema: secretName }) name: string,
    @Body({ schema: newSecret }) body: NewSecret,
    @CurrentCaller() caller: Caller,
  ) {
    return this.dataSource.transaction(async (manager) => {
      await putSecret(manager, this.config, caller, name, body);
      return this.#answerOf(await manager.findOneByOrFail(Secret, { tenant: caller.tenant, name }));
    });
  }

  @Delete(':name')
  @NeedsRole('admin')
  @Answers({
    summary: 'Delete a secret; jobs that name it and do not run yet wait until there is one again',
    schema: secretAnswer,
    errors: ['not-found'],
  })
  async delete(@Param('name', { schema: secretName }) name: string, @CurrentCaller() caller: Caller) {
    return this.#answerOf(await this.dataSource.transaction((manager) => deleteSecret(manager, caller, name)));
  }

  async #answerOf(secret: Secret) {
    const [answer] = await describeSecrets(this.dataSource.manager, [secret]);
    if (!answer) throw new Error('a secret was not described');
    return answer;
  }
}
