/** The problems the gateway itself answers with, before or instead of a function (RFC 9457). */
import { AppError } from '../../lib/errors.ts';
import type { GatewayReply } from './gateway-reply.ts';

const TITLES = {
  400: 'Bad Request',
  404: 'Not Found',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
} as const;

type GatewayCode =
  | 'invalid_request'
  | 'route_not_found'
  | 'body_too_large'
  | 'headers_too_large'
  | 'reply_too_large'
  | 'internal'
  | 'gateway_timeout';

/** The gateway refuses a request, or has no answer to pass on. `code` is stable, as those of the service. */
export class GatewayError extends AppError {
  override readonly code: GatewayCode;
  override readonly status: keyof typeof TITLES;

  constructor(status: keyof typeof TITLES, code: GatewayCode, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The whole answer for a refused request. `requestId` is the one a log line of the host would carry. */
export function toProblemReply(error: GatewayError, requestId: string): GatewayReply & { readonly body: string } {
  const { status, code, message } = error;
  return {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
    body: JSON.stringify({
      type: 'about:blank',
      title: TITLES[status],
      status,
      detail: message,
      code,
      request_id: requestId,
    }),
  };
}
