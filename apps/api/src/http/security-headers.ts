/** Headers for browsers that come across the API: nothing of it is a page, but for the documentation. */
import { type NextFunction, type Request, type Response } from 'express';

export const DOCS_PATH = 'docs';

/** Swagger UI has its styles in the page, and its scripts and images in files. */
const DOCS_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";
const POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox";

/** Of every answer, also of those that Express does not give. */
export const SECURITY_HEADERS = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
} as const;

export function securityHeaders(request: Request, response: Response, next: NextFunction): void {
  const isDocs = request.path === `/${DOCS_PATH}` || request.path.startsWith(`/${DOCS_PATH}/`);
  response.set(SECURITY_HEADERS);
  if (isDocs) response.set('Content-Security-Policy', DOCS_POLICY);
  next();
}
