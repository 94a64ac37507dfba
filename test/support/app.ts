/** An app on the shared servers, over either transport, and tenants in it. */
import { createHash } from 'node:crypto';
import { afterAll } from 'vitest';
import { type App, buildApp } from '../../lib/app.ts';
import { loadConfig } from '../../lib/config/load-config.ts';
import { type Caller, parseApiKey } from '../../lib/gate/caller.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { CreateTenantRequest, type TenantResponse } from '../../lib/tenants/contract.ts';
import { servers } from './servers.ts';

export const ADMIN_KEY = 'an-admin-key-of-the-tests';

export type Transport = 'rest' | 'tcp';
export const TRANSPORTS: readonly Transport[] = ['tcp', 'rest'];

/** What a process of the service has in its environment. `changes` are laid over it. */
export function testEnv(transport: Transport, changes: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { redisUrl, restUrl, restToken, s3, kms } = servers();
  return {
    ...(transport === 'tcp'
      ? { REDIS_URL: redisUrl }
      : { UPSTASH_REDIS_REST_URL: restUrl, UPSTASH_REDIS_REST_TOKEN: restToken }),
    PERSISTENCE_BLOBS_ENDPOINT: s3.url,
    PERSISTENCE_BLOBS_BUCKET: s3.bucket,
    PERSISTENCE_BLOBS_REGION: s3.region,
    PERSISTENCE_BLOBS_FORCE_PATH_STYLE: 'true',
    PERSISTENCE_ENCRYPTION_KMS_KEY_ID: kms.keyId,
    PERSISTENCE_ENCRYPTION_KMS_ENDPOINT: kms.url,
    PERSISTENCE_ENCRYPTION_REGION: s3.region,
    PERSISTENCE_ADMIN_KEY_SHA256: createHash('sha256').update(ADMIN_KEY).digest('hex'),
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    ...changes,
  };
}

export interface AppOptions {
  readonly transport?: Transport;
  readonly env?: Readonly<Record<string, string>>;
  readonly failpoint?: FailpointHook;
}

/** Registered while the file is collected: within a hook or a test, `afterAll` is never called. */
const opened: App[] = [];
afterAll(() => Promise.all(opened.map((app) => app.close())));

/** Closed when the test file ends. */
export async function testApp({ transport = 'tcp', env = {}, failpoint }: AppOptions = {}): Promise<App> {
  const readFile = () => Promise.reject(new Error('tests have no configuration file'));
  const all = testEnv(transport, env);
  // The clients of S3 and KMS read them there, as on Lambda.
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = all;
  Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY });
  const { config } = await loadConfig({ env: all, readFile });
  const app = await buildApp(config, failpoint, { sources: { env: all, readFile } });
  opened.push(app);
  return app;
}

export const newTenantRequest = (changes: object = {}): CreateTenantRequest =>
  CreateTenantRequest.parse({
    name: 'Acme',
    owner: { id: 'owner-1', name: 'Ada', email: 'ada@acme.test' },
    quotas: { operations_per_minute: 1_000_000 },
    encryption: false,
    ...changes,
  });

export interface TestTenant {
  readonly tenant: TenantResponse;
  readonly key: string;
  readonly caller: Caller;
}

/** A fresh tenant with a key, so that tests need no clean-up and no order. */
export async function newTenant(
  app: App,
  changes: object = {},
  scopes: readonly ('*' | 'cache:read')[] = ['*'],
): Promise<TestTenant> {
  const tenant = await app.tenants.create(newTenantRequest(changes));
  const { key } = await app.apiKeys.create(tenant.id, { scopes: [...scopes], expires_at: null });
  return { tenant, key, caller: parseApiKey(key) };
}
