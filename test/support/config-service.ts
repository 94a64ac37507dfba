/** Instances that share a configuration, and what a request of each does about it. */
import type { App } from '../../lib/app.ts';
import type { TenantId } from '../../lib/ids.ts';
import { CONFIG_FILE } from '../../lib/keys.ts';
import type { ReloadRequest } from '../../lib/runtime-config/contract.ts';

/** What the door does before a request, and for it: looks, and goes by a canary. */
export async function asRequest<T>(app: App, tenantId: TenantId | undefined, work: () => Promise<T>): Promise<T> {
  await app.configLook.beforeRequest();
  return app.liveConfig.run(tenantId, work);
}

/** Makes a version of these settings. */
export const change = (app: App, settings: ReloadRequest['settings'], more: Omit<ReloadRequest, 'settings'> = {}) =>
  app.configReload.reload({ settings, ...more }, {}, false);

export const ttlOf = (seconds: number) => ({ cache: { default_ttl_seconds: seconds } });

/** Puts the file into S3. */
export const putConfigFile = (app: App, text: string) =>
  app.blobs.put({ key: CONFIG_FILE, body: Buffer.from(text), contentType: 'application/yaml' });

export const yamlOf = (seconds: number) => `persistence:\n  cache:\n    default_ttl_seconds: ${seconds}\n`;

/** Numbers of the versions there are. */
export const versionsOf = async (app: App): Promise<readonly number[]> =>
  (await app.configVersions.list({ limit: 100 })).items.map(({ version }) => version);
