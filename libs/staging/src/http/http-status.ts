/** What a status code of HTTP means for a transfer (RFC 9110, section 15). */

export function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

export function isMissingStatus(status: number): boolean {
  return status === 404 || status === 410;
}

/** Whether the server would say the same to the same request later. */
export function isForGood(status: number): boolean {
  return status >= 400 && status < 500 && ![408, 421, 425, 429].includes(status);
}
