/** Opens what was sealed for an attempt: what its transfers and its pulls show, in this process's memory and for its time only. */
import { type RegistryCredential } from '#lib/execution';
import { JobError } from '#lib/jobs';
import { NotSealedForThis, type SealingKey, type SecretValue } from '#lib/secrets';
import { type Credential } from '#lib/staging';
import { type Claim, type ClaimedSecret } from './claim.js';

export interface OpenedSecrets {
  readonly credentials: readonly Credential[];
  readonly registries: readonly RegistryCredential[];
}

export interface SecretOpener {
  readonly id: string;
  readonly name: string;
  readonly sealingKey: SealingKey;
}

/** An attempt, or what it has left behind. */
type SealedClaim = Pick<Claim, 'jobId' | 'number' | 'secrets'>;

export const NO_SECRETS: OpenedSecrets = { credentials: [], registries: [] };

/** Throws JobError secret-not-opened. */
export async function openSecrets(claim: SealedClaim, node: SecretOpener): Promise<OpenedSecrets> {
  if (claim.secrets.length === 0) return NO_SECRETS;
  const credentials: Credential[] = [];
  const registries: RegistryCredential[] = [];
  for (const secret of claim.secrets) {
    const value = await open(secret, claim, node);
    const { prefix } = secret;
    if (value.kind === 'registry') registries.push({ prefix, user: value.user, password: value.password });
    else credentials.push({ ...value, prefix });
  }
  return { credentials, registries };
}

async function open(secret: ClaimedSecret, { jobId, number }: SealedClaim, node: SecretOpener): Promise<SecretValue> {
  const { name, kind, prefix, sealed } = secret;
  try {
    return await node.sealingKey.open({ jobId, fence: number, nodeId: node.id, name, kind, prefix }, sealed);
  } catch (error) {
    if (!(error instanceof NotSealedForThis)) throw error;
    throw JobError.of('secret-not-opened', { secret: name, node: node.name, detail: `${error.message}.` });
  }
}
