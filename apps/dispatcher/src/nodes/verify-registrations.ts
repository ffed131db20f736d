/** Believes what a node says of itself when its own key, pinned by `porin-admin node add`, has signed it. */
import { createPublicKey, verify } from 'node:crypto';
import { type Logger } from 'pino';
import { type EntityManager } from 'typeorm';

export interface SignedRegistration {
  /** Base64 of the SPKI of the node's Ed25519 key, as it was pinned. */
  readonly publicKey: string;
  readonly text: string;
  readonly signature: string;
}
interface Registration extends SignedRegistration {
  readonly id: string;
  readonly name: string;
}

/** Until then a node is not READY, and claims nothing. */
export async function verifyRegistrations(manager: EntityManager, logger: Logger): Promise<void> {
  const registrations: Registration[] = await manager.query(
    `SELECT id, name, public_key AS "publicKey", registration AS text, registration_signature AS signature
     FROM node WHERE NOT registration_verified AND registration IS NOT NULL AND public_key IS NOT NULL`,
  );
  for (const registration of registrations) {
    const isSigned = verifies(registration);
    if (!isSigned) {
      logger.warn({ node: registration.name }, "a registration is not signed by its node's key: the node gets no jobs");
    }
    await manager.query(
      `UPDATE node SET registration_verified = $5, registration = CASE WHEN $5 THEN registration END,
         state = CASE WHEN $5 OR state = 'GONE' THEN state ELSE 'DRAINING' END
       WHERE id = $1 AND registration = $2 AND registration_signature = $3 AND public_key = $4`,
      [registration.id, registration.text, registration.signature, registration.publicKey, isSigned],
    );
  }
}

/** Whether the pinned key has signed the text. */
export function verifies({ publicKey, text, signature }: SignedRegistration): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
    return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}
