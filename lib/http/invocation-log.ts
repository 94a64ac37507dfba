import type { MiddlewareObj } from '@middy/core';
import { telemetry } from '../metrics/telemetry.ts';
import type { Contract } from './contract.ts';
import type { HttpEvent, HttpReply } from './event.ts';

/** One line at debug for each invocation, and its metrics as CloudWatch EMF at the end: nothing of them outlives it. */
export const invocationLog = (contract: Contract): MiddlewareObj<HttpEvent, HttpReply> => {
  const { logger, metrics } = telemetry;
  const finish = (event: HttpEvent | undefined, status: number | undefined) => {
    if (logger.getLevelName() === 'DEBUG') {
      logger.debug('Answered', {
        route: contract.name,
        status,
        request_id: event?.requestContext?.requestId ?? 'none',
      });
    }
    if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
  };
  return {
    before: ({ context }) => metrics.captureColdStartMetric(context.functionName),
    after: ({ event, response }) => finish(event, response?.statusCode),
    onError: ({ event, response }) => finish(event, response?.statusCode),
  };
};
