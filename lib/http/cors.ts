import type { HttpEvent } from './event.ts';

/** What a browser of another origin may read and send, when the configuration names its origin. */
export function corsHeaders(event: HttpEvent, allowed: readonly string[]): Readonly<Record<string, string>> {
  const origin = event.headers?.origin;
  if (allowed.length === 0 || origin === undefined) return {};
  if (!allowed.includes('*') && !allowed.includes(origin)) return { vary: 'origin' };
  return {
    'access-control-allow-origin': allowed.includes('*') ? '*' : origin,
    'access-control-expose-headers': EXPOSED,
    vary: 'origin',
  };
}

/** The answer to a preflight, on top of {@link corsHeaders}. */
export const PREFLIGHT_HEADERS = {
  'access-control-allow-methods': 'GET, HEAD, PUT, POST, PATCH, DELETE',
  'access-control-allow-headers':
    'authorization, content-type, idempotency-key, if-match, if-none-match, traceparent, tracestate, riptide-version, riptide-source, riptide-tags, riptide-attributes',
  'access-control-max-age': '7200',
} as const;

const EXPOSED =
  'etag, age, retry-after, riptide-problem, idempotency-status, ratelimit, ratelimit-policy, x-request-id, traceparent, location, riptide-version, riptide-source, riptide-tags, riptide-attributes, riptide-expires-at, riptide-link';
