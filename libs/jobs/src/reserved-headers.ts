/** Headers of a request over HTTP that neither a secret nor a server may choose. */

/** What a transfer says itself, what frames a message, and what proxies act by. */
const RESERVED =
  /^(host|content-.*|transfer-encoding|te|trailer|connection|keep-alive|upgrade|expect|accept-encoding|range|if-.*|user-agent|via|forwarded|x-forwarded-.*|proxy-.*)$/i;

export function isReservedHeader(name: string): boolean {
  return RESERVED.test(name);
}
