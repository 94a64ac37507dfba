import type { MiddlewareObj } from '@middy/core';
import { AppError } from '../errors.ts';
import { telemetry } from '../metrics/telemetry.ts';
import type { HttpEvent, HttpReply } from './event.ts';
import { problemOf } from './problem.ts';
import { encodeReply } from './reply.ts';

/** Turns every throw into a problem. A caller's mistake is a line at info, a fault or a bug one at error. */
export const problemReplies = (): MiddlewareObj<HttpEvent, HttpReply> => ({
  onError: (request) => {
    const { error, event } = request;
    const requestId = event.requestContext?.requestId ?? 'none';
    const code = error instanceof AppError ? error.code : 'internal';
    if (error instanceof AppError && error.status < 500)
      telemetry.logger.info('Refused', { code, request_id: requestId });
    else telemetry.logger.error('Failed', { code, request_id: requestId, error: error as Error });
    request.response = encodeReply(problemOf(error, requestId));
  },
});
