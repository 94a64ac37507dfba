/** What no endpoint answers: a preflight, or a 404 problem; below `/admin`, 401 comes first. */
import type { App } from '../app.ts';
import { RouteNotFoundError } from '../errors.ts';
import { defineContract, open } from './contract.ts';
import { PREFLIGHT_HEADERS } from './cors.ts';
import type { HttpEvent } from './event.ts';
import { requireAdmin } from './guards.ts';
import type { Result } from './result.ts';

export const unknownRouteContract = defineContract({
  method: 'GET',
  path: '$default',
  name: 'answerUnknownRoute',
  summary: 'Answer what no endpoint does',
  guard: open,
  replies: { 204: { description: 'A preflight' } },
  problems: ['route_not_found'],
});

/** @throws {RouteNotFoundError} and, below `/admin`, what the admin guard throws. */
export async function answerUnknownRoute(event: HttpEvent, app: App): Promise<Result> {
  const method = event.requestContext?.http?.method ?? 'GET';
  if (method === 'OPTIONS') return { status: 204, headers: PREFLIGHT_HEADERS };
  if (/^\/admin(?:\/|$)/.test(event.rawPath ?? '')) await requireAdmin(event, app);
  throw new RouteNotFoundError(
    'No endpoint has this method and path: GET /docs shows those there are, GET /openapi.json lists them',
  );
}
