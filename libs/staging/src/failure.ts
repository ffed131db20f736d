/** What goes wrong outside the rules, network and file system, in words for a message: never a URL or a host path. */
import { type HttpTimeouts } from './rules.js';

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** There is nothing by that name, and there cannot be. */
export function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(errorCode(error) ?? '');
}

/** The URL, the user and headers may be credentials, and an error's own message may quote them: only codes are passed on. */
export function failureDetail(error: unknown, timeouts: HttpTimeouts): string {
  if (error instanceof HttpFailure) return error.message;
  const code = errorCode(error);
  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
      return `no connection within ${timeouts.connectMs} ms`;
    case 'UND_ERR_HEADERS_TIMEOUT':
      return `no answer within ${timeouts.answerMs} ms`;
    case 'UND_ERR_BODY_TIMEOUT':
      return `nothing was received for ${timeouts.stallMs} ms`;
    case 'UND_ERR_SOCKET':
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return 'the connection ended before the transfer did';
    case 'ENOENT':
      return 'a directory is missing on this node';
    case 'EACCES':
    case 'EPERM':
      return `the worker has no permission (${code})`;
    default:
      return code ?? 'an unexpected error';
  }
}

/** The server's answer makes no sense here. `message` is for the user. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';
}
