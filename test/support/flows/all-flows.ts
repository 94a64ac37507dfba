/**
 * Every flow that writes or reads through a port. Each of its calls has its cases in test/integration/flows*.test.ts: not
 * applied, applied and lost, out of time before and after. A flow that gains a call gains its cases here, or fails.
 */
import { adminFlows } from './admin-flows.ts';
import { alertFlows } from './alert-flows.ts';
import { auditFlows } from './audit-flows.ts';
import { batchFlows } from './batch-flows.ts';
import { billingFlows } from './billing-flows.ts';
import { cacheFlows } from './cache-flows.ts';
import { checkpointFlows } from './checkpoint-flows.ts';
import { configFlows } from './config-flows.ts';
import { encryptionFlows } from './encryption-flows.ts';
import type { Flow } from './flow.ts';
import { invalidationFlows } from './invalidation-flows.ts';
import { jobFlows } from './job-flows.ts';
import { largeValueFlows } from './large-value-flows.ts';
import { leaseFlows } from './lease-flows.ts';
import { limiterFlows } from './limiter-flows.ts';
import { memoryFlows } from './memory-flows.ts';
import { oldGenerationFlows } from './old-generation-flows.ts';
import { passFlows } from './pass-flows.ts';
import { quotaFlows } from './quota-flows.ts';
import { restoreFlows } from './restore-flows.ts';
import { revivalFlows } from './revival-flows.ts';
import { sessionBudgetFlows } from './session-budget-flows.ts';
import { sessionFlows } from './session-flows.ts';
import { spillFlows } from './spill-flows.ts';
import { stateFlows } from './state-flows.ts';
import { tenantFlows } from './tenant-flows.ts';
import { warmingFlows } from './warming-flows.ts';

/** Those of tenants, their calls and the cache. */
export const dataFlows: readonly Flow[] = [
  ...tenantFlows,
  ...warmingFlows,
  ...adminFlows,
  ...quotaFlows,
  ...limiterFlows,
  ...cacheFlows,
  ...batchFlows,
  ...leaseFlows,
  ...largeValueFlows,
  ...alertFlows,
  ...auditFlows,
  ...billingFlows,
  ...configFlows,
  ...encryptionFlows,
  ...jobFlows,
  ...memoryFlows,
  ...invalidationFlows,
  ...sessionBudgetFlows,
  ...passFlows,
  ...sessionFlows,
  ...spillFlows,
];

/** Those of checkpoints and restores, which take as long as all others together. */
export const stateOfAllFlows: readonly Flow[] = [
  ...oldGenerationFlows,
  ...checkpointFlows,
  ...stateFlows,
  ...restoreFlows,
  ...revivalFlows,
];

export const allFlows: readonly Flow[] = [...dataFlows, ...stateOfAllFlows];
