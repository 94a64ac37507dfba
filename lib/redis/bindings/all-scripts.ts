/** Every script, in alphabetical order of its file: for tests that hold all of them to the same rules. */

import { claimDueAlerts, forgetRefusals, raiseAlert, replaceAlert } from './alert-scripts.ts';
import { appendAudit, sealAudit } from './audit-scripts.ts';
import { addAdjustment, closePeriod, readBilling, readBillingRun, readUsage } from './billing-scripts.ts';
import { deleteCacheEntry, getCacheEntry, setCacheEntry } from './cache-scripts.ts';
import { beginIdempotent, beginTenantCall, endIdempotent, endTenantCall } from './call-scripts.ts';
import { checkKey, verifyAccess } from './gate-scripts.ts';
import { cancelJob, claimJob, findDueJobs, removeJob, saveJob, startJob } from './job-scripts.ts';
import { checkLimit } from './limit-scripts.ts';
import { freeAbandonedHolds, releaseQuota, reserveQuota, settleQuota } from './quota-scripts.ts';
import { removeExpiredRecords } from './record-scripts.ts';
import {
  ackAudit,
  changeTenant,
  confirmTenant,
  createApiKey,
  createTenant,
  finishErasure,
  listTenants,
  publishChange,
  reserveTenant,
  revokeApiKey,
  unlistTenant,
} from './tenant-scripts.ts';

export const allScripts = [
  ackAudit,
  addAdjustment,
  appendAudit,
  beginIdempotent,
  beginTenantCall,
  cancelJob,
  changeTenant,
  checkKey,
  checkLimit,
  claimDueAlerts,
  claimJob,
  closePeriod,
  confirmTenant,
  createApiKey,
  createTenant,
  deleteCacheEntry,
  endIdempotent,
  endTenantCall,
  findDueJobs,
  finishErasure,
  forgetRefusals,
  freeAbandonedHolds,
  getCacheEntry,
  listTenants,
  publishChange,
  raiseAlert,
  readBilling,
  readBillingRun,
  readUsage,
  releaseQuota,
  removeExpiredRecords,
  removeJob,
  replaceAlert,
  reserveQuota,
  reserveTenant,
  revokeApiKey,
  saveJob,
  sealAudit,
  setCacheEntry,
  settleQuota,
  startJob,
  unlistTenant,
  verifyAccess,
] as const;
