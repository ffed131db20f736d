/** Headers for browsers that come across the API: nothing of it is a page, but for the documentation. */
import { type FastifyReply, type FastifyRequest } from 'fastify';

export const DOCS_PATH = 'docs';

/** Swagger UI has its styles in the page, and its scripts and images in files. */
const DOCS_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";
const IS_DOCS = new RegExp(`^/${DOCS_PATH}(/|[?]|$)`);
const POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox";

/** Of every answer, also of those that Fastify does not give. */
export const SECURITY_HEADERS = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
} as const;

export function securityHeaders(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  reply.headers(SECURITY_HEADERS);
  if (IS_DOCS.test(request.originalUrl)) reply.header('Content-Security-Policy', DOCS_POLICY);
  done();
}
