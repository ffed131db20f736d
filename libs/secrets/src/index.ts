export {
  decryptSecret,
  encryptSecret,
  type SecretKey,
  type SecretPlace,
  SecretUnreadable,
  type StoredSecret,
} from './at-rest.js';
export { canSealTo, NotSealedForThis, type SealedFor, SealingKey, sealSecret } from './sealing.js';
export { SECRET_KINDS, SECRET_SCHEMAS, type SecretKind, type SecretValue } from './secret-value.js';
