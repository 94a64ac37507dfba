/** Every script, in alphabetical order of its file: for tests that hold all of them to the same rules. */

import { claimDueAlerts, forgetRefusals, raiseAlert, replaceAlert } from './alert-scripts.ts';
import { appendAudit, sealAudit } from './audit-scripts.ts';
import { addAdjustment, closePeriod, readBilling, readBillingRun, readUsage } from './billing-scripts.ts';
import { peekCacheEntries, storeCacheEntries } from './cache-admin-scripts.ts';
import {
  deleteCacheEntries,
  getCacheEntries,
  incrementCacheEntry,
  listCacheEntries,
  setCacheEntries,
  touchCacheEntry,
} from './cache-batch-scripts.ts';
import {
  invalidateCache,
  invalidateTenantCache,
  moveCacheEntry,
  removeCacheEntries,
  setMemoryShare,
  settleInvalidation,
} from './cache-invalidation-scripts.ts';
import { beginCacheObject } from './cache-object-scripts.ts';
import { getCacheEntry, leaseCacheEntry } from './cache-read-scripts.ts';
import { deleteCacheEntry, setCacheEntry } from './cache-write-scripts.ts';
import { beginIdempotent, beginTenantCall, endIdempotent, endTenantCall } from './call-scripts.ts';
import { meterCarried } from './carried-scripts.ts';
import {
  beginFeed,
  beginGeneration,
  flipGeneration,
  loadRecords,
  readRecords,
  reinstateSession,
  reviveTenant,
  takeTurn,
  trimFeed,
} from './checkpoint-scripts.ts';
import { activateConfig } from './config-scripts.ts';
import { verifyAccess } from './gate-scripts.ts';
import { cancelJob, claimJob, findDueJobs, heartbeatJob, removeJob, saveJob, startJob } from './job-scripts.ts';
import { checkKey } from './key-scripts.ts';
import { releaseCacheLease } from './lease-scripts.ts';
import { checkLimit } from './limit-scripts.ts';
import { registerObject } from './object-scripts.ts';
import { reclaimGeneration } from './old-generation-scripts.ts';
import { freeAbandonedHolds, releaseQuota, reserveQuota, settleQuota } from './quota-scripts.ts';
import { removeExpiredRecords } from './record-scripts.ts';
import {
  beginSessionLowering,
  grantSessionMemory,
  releaseSessionMemory,
  setSessionShare,
  settleSessionMemory,
} from './session-budget-scripts.ts';
import { getSession, listSessions, peekSessions } from './session-read-scripts.ts';
import {
  createSession,
  rotateSession,
  terminateSessions,
  touchSession,
  updateSession,
} from './session-write-scripts.ts';
import { claimSessions, markSession, removeTombstones, restoreSession, stubSessions } from './spill-scripts.ts';
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
  activateConfig,
  addAdjustment,
  appendAudit,
  beginCacheObject,
  beginFeed,
  beginGeneration,
  beginIdempotent,
  beginSessionLowering,
  beginTenantCall,
  cancelJob,
  changeTenant,
  checkKey,
  checkLimit,
  claimDueAlerts,
  claimJob,
  claimSessions,
  closePeriod,
  confirmTenant,
  createApiKey,
  createSession,
  createTenant,
  deleteCacheEntries,
  deleteCacheEntry,
  endIdempotent,
  endTenantCall,
  findDueJobs,
  finishErasure,
  flipGeneration,
  forgetRefusals,
  freeAbandonedHolds,
  getCacheEntries,
  getCacheEntry,
  getSession,
  grantSessionMemory,
  heartbeatJob,
  incrementCacheEntry,
  invalidateCache,
  invalidateTenantCache,
  leaseCacheEntry,
  listCacheEntries,
  listSessions,
  listTenants,
  loadRecords,
  markSession,
  meterCarried,
  moveCacheEntry,
  peekCacheEntries,
  peekSessions,
  publishChange,
  raiseAlert,
  readBilling,
  readBillingRun,
  readRecords,
  readUsage,
  reclaimGeneration,
  registerObject,
  reinstateSession,
  releaseCacheLease,
  releaseQuota,
  releaseSessionMemory,
  removeCacheEntries,
  removeExpiredRecords,
  removeJob,
  removeTombstones,
  replaceAlert,
  reserveQuota,
  reserveTenant,
  restoreSession,
  reviveTenant,
  revokeApiKey,
  rotateSession,
  saveJob,
  sealAudit,
  setCacheEntries,
  setCacheEntry,
  setMemoryShare,
  setSessionShare,
  settleInvalidation,
  settleQuota,
  settleSessionMemory,
  startJob,
  storeCacheEntries,
  stubSessions,
  takeTurn,
  terminateSessions,
  touchCacheEntry,
  touchSession,
  trimFeed,
  unlistTenant,
  updateSession,
  verifyAccess,
] as const;
