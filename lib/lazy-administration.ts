import type { Administration, AdministrationDeps } from './administration.ts';
import { lazily } from './lazily.ts';

/** Every method of every service: what stands here before they are loaded. */
const METHODS: { readonly [S in keyof Administration]: { readonly [M in keyof Administration[S]]: true } } = {
  abandonedHolds: { run: true },
  accessCheck: { validateAccess: true },
  alerts: { evaluate: true, deliver: true, list: true, sendTest: true, noteRefusal: true },
  apiKeyList: { list: true, get: true },
  apiKeys: { create: true, rotate: true, revoke: true },
  audit: { append: true, seal: true, archive: true, list: true },
  billing: { get: true, list: true, adjust: true, closeDue: true, closeWhenDue: true, closeFinal: true },
  checkpoints: { start: true, makeLast: true, startDue: true, list: true, get: true },
  checkpointSchedule: { run: true },
  checkpointUpkeep: { run: true },
  cleanUp: { run: true },
  erasure: { eraseDue: true, get: true },
  jobs: { start: true, get: true, list: true, cancel: true, run: true },
  memoryBudget: { run: true },
  keyRotation: { rotate: true, rewrapDue: true },
  quotaRequests: { create: true, list: true, approve: true, reject: true },
  tenantAdmin: {
    update: true,
    previewUpdate: true,
    suspend: true,
    resume: true,
    remove: true,
    previewRemoval: true,
    undelete: true,
  },
  tenantInvalidation: { invalidate: true },
  tenantList: { list: true },
  tenantPolicies: { get: true, set: true, previewSet: true, follow: true },
  tenants: { create: true, createStored: true, get: true, getStored: true, listIds: true, repair: true },
  unpublished: { publishLeft: true },
  usage: { get: true },
  warming: { warm: true, export: true },
  cacheStats: { ofTenant: true, ofAll: true },
  cacheStatsSum: { run: true },
  oldExports: { run: true },
  sessionUpkeep: { run: true },
  spillPass: { run: true },
  drills: { startDue: true },
  restores: { start: true },
  stateAdmin: { create: true, verify: true, restore: true, verdict: true },
  spillStats: { ofTenant: true, ofAll: true },
  runtimeConfig: { alter: true, activate: true, standing: true, find: true, differences: true },
  configReload: { reload: true, takeFile: true, takeStored: true },
  configVersions: { list: true, get: true },
};

/** The services of administration, all loaded together with the first call of any. */
export function createLazyAdministration(deps: AdministrationDeps): Administration {
  let loading: Promise<Administration> | undefined;
  const load = () => {
    loading ??= import('./administration.ts').then(({ createAdministration }) => createAdministration(deps));
    return loading;
  };
  const names = Object.keys(METHODS) as (keyof Administration)[];
  const services = names.map((name) => [name, lazily<object>(METHODS[name], async () => (await load())[name])]);
  return Object.fromEntries(services) as Administration;
}
