import type { MiddlewareObj } from '@middy/core';
import { AppError } from '../errors.ts';
import { telemetry } from '../metrics/telemetry.ts';
import type { Contract } from './contract.ts';
import type { HttpEvent, HttpReply } from './event.ts';
import { problemOf } from './problem.ts';
import { encodeReply } from './reply.ts';

/** A tenant has filled its quota. That is for the tenant to mend: nothing is wrong with the service. */
const TENANT_FULL: ReadonlySet<string> = new Set(['memory_full', 'storage_full']);

/** Turns every throw into a problem, and tells of it: a bug with all that is known, the rest by its code. */
export const problemReplies = ({ name: route }: Pick<Contract, 'name'>): MiddlewareObj<HttpEvent, HttpReply> => ({
  onError: (request) => {
    const { error, event } = request;
    const requestId = event.requestContext?.requestId ?? 'none';
    tell(error, { request_id: requestId, route });
    request.response = encodeReply(problemOf(error, requestId));
  },
});

/** Several endpoints may share a function and its log group: each line names its own. */
function tell(error: unknown, where: { readonly request_id: string; readonly route: string }): void {
  const { logger } = telemetry;
  if (!(error instanceof AppError)) logger.error('Failed', { ...where, error: error as Error });
  else {
    const { code, details, message, status } = error;
    const line = { code, details, ...where };
    if (status < 500 || TENANT_FULL.has(code)) logger.info('Refused', line);
    else logger.error(message, line);
  }
}
