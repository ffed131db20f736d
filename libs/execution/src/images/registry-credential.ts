/** What opens a private registry to a pull: told to the engine with each request, and kept by neither. */
import { type ImageName, isBelowRegistryPrefix } from '#lib/jobs';
import { EngineError, toEngineError } from '../engine/engine-error.js';

export interface RegistryCredential {
  /** `registry.example.org/`, or `registry.example.org/team/`. */
  readonly prefix: string;
  readonly user: string;
  readonly password: string;
}

/** The one with the longest prefix; undefined where the image is below none. */
export function registryCredentialFor(
  credentials: readonly RegistryCredential[],
  name: ImageName,
): RegistryCredential | undefined {
  return credentials
    .filter(({ prefix }) => isBelowRegistryPrefix(name, prefix))
    .sort((a, b) => b.prefix.length - a.prefix.length)[0];
}

/** As headers of the engine's API ("AuthConfig" of Docker's API, in base64url). */
export function registryHeaders(credential: RegistryCredential | undefined): Readonly<Record<string, string>> {
  if (!credential) return {};
  const { user: username, password, prefix } = credential;
  const serveraddress = prefix.split('/', 1)[0] ?? '';
  const config = JSON.stringify({ username, password, serveraddress });
  // Docker's engine reads base64url with its padding, and nothing else.
  const text = Buffer.from(config).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
  return { 'X-Registry-Auth': text };
}

/** A registry may answer with what it was sent, and the worker's log has what it answered. */
export function withoutCredential(text: string, credential: RegistryCredential | undefined): string {
  if (!credential) return text;
  const { user, password } = credential;
  const sent = [
    Buffer.from(`${user}:${password}`).toString('base64'),
    encodeURIComponent(password),
    // As the engine quotes it.
    JSON.stringify(password).slice(1, -1),
    password,
  ];
  return sent.filter((each) => each !== '').reduce((rest, each) => rest.replaceAll(each, '***'), text);
}

/** What the engine told, which may be what the registry told it. */
export function engineErrorWithout(error: unknown, credential: RegistryCredential | undefined): EngineError {
  const { reason, message, status } = toEngineError(error);
  return new EngineError(reason, withoutCredential(message, credential), status);
}
