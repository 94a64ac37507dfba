/** One logger and one metrics buffer per instance. Lines and metrics carry ids, never names, keys or values. */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';

export type Telemetry = typeof telemetry;

const logger = new Logger({ serviceName: 'riptide' });
/** The stages of one account are told apart by the service's name: alarms are of one. */
const metrics = new Metrics({ namespace: 'riptide', serviceName: process.env.POWERTOOLS_SERVICE_NAME ?? 'riptide' });

export const telemetry = {
  logger,
  metrics,
  /** Adds to a counter, sent as CloudWatch EMF when the invocation ends. */
  count(name: string, value = 1): void {
    metrics.addMetric(name, MetricUnit.Count, value);
  },
} as const;
