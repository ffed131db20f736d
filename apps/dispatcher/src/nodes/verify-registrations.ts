/** Believes what a node says of itself when its own key, pinned by `porin-admin node add`, has signed it. */
import { createPublicKey, verify } from 'node:crypto';
import { canSealTo } from '#lib/secrets';
import { type Logger } from 'pino';
import { type EntityManager } from 'typeorm';

export interface SignedRegistration {
  /** Base64 of the SPKI of the node's Ed25519 key, as it was pinned. */
  readonly publicKey: string;
  readonly text: string;
  readonly signature: string;
  /** What the node's function made of the text. */
  readonly sealingKey: string | null;
}
interface Registration extends SignedRegistration {
  readonly id: string;
  readonly name: string;
}

/** The columns of SignedRegistration, of a row `node` that has them. */
export const SIGNED_REGISTRATION = `public_key AS "publicKey", registration AS text, registration_signature AS signature,
  sealing_key AS "sealingKey"`;

/** Until then a node is not READY, and claims nothing. */
export async function verifyRegistrations(manager: EntityManager, logger: Logger): Promise<void> {
  const registrations: Registration[] = await manager.query(
    `SELECT id, name, ${SIGNED_REGISTRATION}
     FROM node WHERE NOT registration_verified AND registration IS NOT NULL AND public_key IS NOT NULL`,
  );
  for (const registration of registrations) {
    const problem = await registrationProblem(registration);
    if (problem !== null) logger.warn({ node: registration.name }, `a registration ${problem}: the node gets no jobs`);
    await manager.query(
      `UPDATE node SET registration_verified = $5, registration = CASE WHEN $5 THEN registration END,
         state = CASE WHEN $5 OR state = 'GONE' THEN state ELSE 'DRAINING' END
       WHERE id = $1 AND registration = $2 AND registration_signature = $3 AND public_key = $4`,
      [registration.id, registration.text, registration.signature, registration.publicKey, problem === null],
    );
  }
}

/** Why it is not to be believed, in words that follow it; null where it is. */
export async function registrationProblem(registration: SignedRegistration): Promise<string | null> {
  if (!verifies(registration)) return "is not signed by its node's key";
  const { sealingKey = null } = JSON.parse(registration.text) as { readonly sealingKey?: unknown };
  if (sealingKey !== registration.sealingKey) return 'names another sealing key than its row';
  if (typeof sealingKey === 'string' && !(await canSealTo(sealingKey)))
    return 'names a key to which nothing can be sealed';
  return null;
}

/** They get nothing until they have been looked at again: what was believed of them is not so, or not so any more. */
export async function disbelieve(manager: EntityManager, nodeIds: readonly string[]): Promise<void> {
  if (nodeIds.length === 0) return;
  await manager.query(
    `UPDATE node SET registration_verified = false, state = CASE state WHEN 'GONE' THEN state ELSE 'DRAINING' END
     WHERE id = ANY ($1::uuid[])`,
    [nodeIds],
  );
}

/** Whether the pinned key has signed the text. */
function verifies({ publicKey, text, signature }: SignedRegistration): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
    return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}
