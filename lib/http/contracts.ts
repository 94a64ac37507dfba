/** Every endpoint's contract, by path. OpenAPI, the page of the documentation and the client are made from this list. */
import { whoAmIContract } from '../account/contract.ts';
import { listAlertsContract, sendTestAlertContract } from '../alerts/contract.ts';
import { listAuditContract } from '../audit/contract.ts';
import { createAdjustmentContract, getTenantBillingContract } from '../billing/contract.ts';
import { batchEntriesContract } from '../cache/batch/batch-contract.ts';
import { incrementEntryContract, touchEntryContract } from '../cache/change-contract.ts';
import { getEntryContract, headEntryContract } from '../cache/contract.ts';
import { deleteEntryContract } from '../cache/delete-contract.ts';
import { exportCacheContract } from '../cache/exports/export-contract.ts';
import { invalidateCacheContract, invalidateOwnCacheContract } from '../cache/invalidation/invalidate-contract.ts';
import { listEntriesContract } from '../cache/list-contract.ts';
import { putEntryContract } from '../cache/put-contract.ts';
import { getCacheStatsContract } from '../cache/stats/stats-contract.ts';
import { warmCacheContract } from '../cache/warming/warm-contract.ts';
import {
  createCheckpointContract,
  getCheckpointContract,
  listCheckpointsContract,
  verifyCheckpointContract,
} from '../checkpoints/http/checkpoint-contract.ts';
import { restoreCheckpointContract } from '../checkpoints/http/restore-contract.ts';
import { getOpenapiContract, showDocsContract } from '../docs/contract.ts';
import { getErasureContract } from '../erasure/contract.ts';
import { checkLiveContract, checkReadyContract } from '../health/contract.ts';
import { cancelJobContract, getJobContract, getOwnJobContract, listJobsContract } from '../jobs/contract.ts';
import {
  commitReservationContract,
  getQuotasContract,
  refundReservationContract,
  releaseQuotaContract,
  reserveQuotaContract,
} from '../quotas/contract.ts';
import { checkLimitContract } from '../rate-limiter/contract.ts';
import {
  activateConfigVersionContract,
  getConfigVersionContract,
  listConfigVersionsContract,
  reloadStateContract,
  updateSpilloverContract,
} from '../runtime-config/contract.ts';
import { createSessionContract } from '../sessions/http/create-contract.ts';
import {
  deleteSessionDataContract,
  putSessionDataContract,
  updateSessionDataContract,
} from '../sessions/http/data-contract.ts';
import { deleteSessionContract, deleteSessionsContract } from '../sessions/http/end-contract.ts';
import { getSessionContract } from '../sessions/http/get-contract.ts';
import { listSessionsContract } from '../sessions/http/list-contract.ts';
import { prefetchSessionsContract } from '../sessions/http/prefetch-contract.ts';
import { rotateSessionContract, touchSessionContract } from '../sessions/http/renew-contract.ts';
import { getSpilloverContract, runSpilloverContract } from '../sessions/http/spillover-contract.ts';
import { checkAccessContract } from '../tenants/access-contract.ts';
import { createTenantContract, getTenantContract } from '../tenants/contract.ts';
import { createKeyContract, listKeysContract, revokeKeyContract, rotateKeyContract } from '../tenants/key-contract.ts';
import { getPoliciesContract, putPoliciesContract } from '../tenants/policy-contract.ts';
import {
  approveQuotaRequestContract,
  createQuotaRequestContract,
  listQuotaRequestsContract,
  rejectQuotaRequestContract,
} from '../tenants/quota-request-contract.ts';
import {
  deleteTenantContract,
  listTenantsContract,
  resumeTenantContract,
  rotateDataKeyContract,
  suspendTenantContract,
  undeleteTenantContract,
  updateTenantContract,
} from '../tenants/update-contract.ts';
import { getTenantUsageContract } from '../usage/contract.ts';
import type { Contract } from './contract.ts';

/** All but `$default`, which is no endpoint. */
export const allContracts = [
  listAuditContract, // /admin/audit
  exportCacheContract, // /admin/cache
  invalidateCacheContract,
  getCacheStatsContract,
  warmCacheContract,
  listConfigVersionsContract, // /admin/config
  getConfigVersionContract,
  activateConfigVersionContract,
  listJobsContract, // /admin/jobs
  getJobContract,
  cancelJobContract,
  getSpilloverContract, // /admin/spillover
  updateSpilloverContract,
  runSpilloverContract,
  createCheckpointContract, // /admin/state
  listCheckpointsContract,
  getCheckpointContract,
  verifyCheckpointContract,
  reloadStateContract,
  restoreCheckpointContract,
  createTenantContract, // /admin/tenants
  listTenantsContract,
  deleteTenantContract, // /admin/tenants/{id}
  getTenantContract,
  updateTenantContract,
  checkAccessContract,
  listAlertsContract,
  sendTestAlertContract,
  getTenantBillingContract,
  createAdjustmentContract,
  rotateDataKeyContract,
  getErasureContract,
  createKeyContract,
  listKeysContract,
  revokeKeyContract,
  rotateKeyContract,
  getPoliciesContract,
  putPoliciesContract,
  createQuotaRequestContract,
  listQuotaRequestsContract,
  approveQuotaRequestContract,
  rejectQuotaRequestContract,
  resumeTenantContract,
  suspendTenantContract,
  undeleteTenantContract,
  getTenantUsageContract,
  batchEntriesContract, // /cache
  listEntriesContract,
  deleteEntryContract,
  getEntryContract,
  headEntryContract,
  incrementEntryContract,
  putEntryContract,
  touchEntryContract,
  showDocsContract, // /docs
  checkLiveContract, // /health
  checkReadyContract,
  invalidateOwnCacheContract, // /invalidate
  getOwnJobContract, // /jobs
  getOpenapiContract, // /openapi.json
  getQuotasContract, // /quotas
  releaseQuotaContract,
  reserveQuotaContract,
  commitReservationContract,
  refundReservationContract,
  checkLimitContract, // /ratelimit
  createSessionContract, // /sessions
  deleteSessionsContract,
  listSessionsContract,
  prefetchSessionsContract,
  deleteSessionContract, // /sessions/{id}
  getSessionContract,
  updateSessionDataContract,
  deleteSessionDataContract,
  putSessionDataContract,
  rotateSessionContract,
  touchSessionContract,
  whoAmIContract, // /whoami
] as const satisfies readonly Contract[];

export type AnyContract = (typeof allContracts)[number];
/** The name of an endpoint's function and of the client's method. */
export type ContractName = AnyContract['name'];
/** The contract of a name. */
export type ContractOf<N extends ContractName> = Extract<AnyContract, { readonly name: N }>;
