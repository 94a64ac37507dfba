/** The one source of the configuration: every group, its zod schema, and the flat list the loader and the docs walk. */
import * as z from 'zod';
import type { Config, RedisConfig, StateConfig } from './config.ts';
import { alertSettings } from './groups/alert-settings.ts';
import { renderSettings, spilloverSettings, workerSettings } from './groups/background-settings.ts';
import { billingSettings } from './groups/billing-settings.ts';
import { cacheSettings } from './groups/cache-settings.ts';
import { encryptionSettings } from './groups/encryption-settings.ts';
import { redisSettings } from './groups/redis-settings.ts';
import { adminSettings, blobsSettings, httpSettings, logSettings } from './groups/service-settings.ts';
import { stateSettings } from './groups/state-settings.ts';
import { quotaSettings, tenantSettings } from './groups/tenant-settings.ts';
import { withInnerNames } from './inner-names.ts';
import type { Setting, SettingGroup } from './setting.ts';

/** A configuration before what is derived from it: `redis.transport`, `profile` and `sessions`; `encryption.provider` as it is written. */
export type StatedConfig = Omit<Config, 'profile' | 'redis' | 'sessions' | 'state'> & {
  readonly redis: Omit<RedisConfig, 'transport'>;
  readonly state: StateConfig & StatedSessions;
};

/** What `state` says of sessions. */
interface StatedSessions {
  readonly sessionTimeoutMs: number;
  readonly sessionMaxLifetimeMs: number;
  readonly sessionMaxBytes: number;
}

/** Raw text by group and name -> typed values under their inner names. Checked against the types in config.ts. */
export const ConfigSchema = z.object({
  redis: group(redisSettings),
  cache: group(cacheSettings),
  state: group(stateSettings),
  tenant: z
    .object({ ...types(tenantSettings), default_quotas: z.object(types(quotaSettings)).readonly() })
    .transform(withInnerNames),
  billing: group(billingSettings),
  spillover: group(spilloverSettings),
  worker: group(workerSettings),
  render: group(renderSettings),
  alerts: group(alertSettings),
  log: group(logSettings),
  blobs: group(blobsSettings),
  encryption: group(encryptionSettings),
  http: group(httpSettings),
  admin: group(adminSettings),
}) satisfies z.ZodType<StatedConfig>;

/** A setting with its place: `cache.default_ttl_seconds`, `PERSISTENCE_CACHE_DEFAULT_TTL_SECONDS`. */
export interface PlacedSetting extends Setting<unknown> {
  readonly path: string;
  readonly variable: string;
}

/** Every setting, in the order the documentation shows them. */
export const SETTINGS: readonly PlacedSetting[] = [
  ...placed('redis', redisSettings),
  ...placed('cache', cacheSettings),
  ...placed('state', stateSettings),
  ...placed('tenant', tenantSettings),
  ...placed('tenant.default_quotas', quotaSettings),
  ...placed('billing', billingSettings),
  ...placed('spillover', spilloverSettings),
  ...placed('worker', workerSettings),
  ...placed('render', renderSettings),
  ...placed('alerts', alertSettings),
  ...placed('log', logSettings),
  ...placed('blobs', blobsSettings),
  ...placed('encryption', encryptionSettings),
  ...placed('http', httpSettings),
  ...placed('admin', adminSettings),
];

/** `tenant.default_quotas.memory_bytes` is `PERSISTENCE_TENANT_DEFAULT_QUOTAS_MEMORY_BYTES`. */
export function variableName(path: string): string {
  return `PERSISTENCE_${path.replaceAll('.', '_').toUpperCase()}`;
}

function placed(prefix: string, settings: SettingGroup): PlacedSetting[] {
  return Object.entries(settings).map(([name, setting]) => {
    const path = `${prefix}.${name}`;
    return { ...setting, path, variable: variableName(path) };
  });
}

function group<const G extends SettingGroup>(settings: G) {
  return z.object(types(settings)).transform(withInnerNames);
}

function types<const G extends SettingGroup>(settings: G): { [K in keyof G]: G[K]['type'] } {
  return Object.fromEntries(Object.entries(settings).map(([name, { type }]) => [name, type])) as {
    [K in keyof G]: G[K]['type'];
  };
}
