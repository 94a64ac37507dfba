/** The problems the gateway itself answers with, before or instead of a function (RFC 9457). */
import { AppError } from '../../lib/errors.ts';
import { problemOf } from '../../lib/http/problem.ts';
import { SECURITY_HEADERS } from '../../lib/http/reply.ts';
import type { GatewayReply } from './gateway-reply.ts';

type GatewayCode =
  | 'invalid_request'
  | 'route_not_found'
  | 'body_too_large'
  | 'headers_too_large'
  | 'reply_too_large'
  | 'internal'
  | 'gateway_timeout'
  | 'shutting_down';

/** The gateway refuses a request, or has no answer to pass on. `code` is stable, as those of the service. */
export class GatewayError extends AppError {
  override readonly code: GatewayCode;
  override readonly status: 400 | 404 | 413 | 431 | 500 | 503;

  constructor(status: GatewayError['status'], code: GatewayCode, message: string, retryAfterMs?: number) {
    super(message, retryAfterMs === undefined ? {} : { retryAfterMs });
    this.status = status;
    this.code = code;
  }
}

/** The whole answer for a refused request. `requestId` is the one a log line of the host would carry. */
export function toProblemReply(error: GatewayError, requestId: string): GatewayReply & { readonly body: string } {
  const { status, headers = {}, data } = problemOf(error, requestId);
  return {
    status,
    headers: { ...SECURITY_HEADERS, ...headers, 'x-request-id': requestId },
    body: JSON.stringify(data),
  };
}
