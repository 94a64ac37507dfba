/** The environment the functions run with: the addresses and secrets of one running stack. */
import { createHmac } from 'node:crypto';
import { hashAdminKey } from './data/admin-key.ts';

export const BUCKET = 'riptide';
export const REGION = 'us-east-1';

export interface StackAddresses {
  readonly redisUrl: string;
  readonly rest: { readonly url: string; readonly token: string };
  readonly s3: { readonly url: string; readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Taken by the key pair of `s3`. */
  readonly kms: { readonly url: string; readonly keyId: string };
  readonly adminKey: string;
}

/**
 * Names and values for process.env. With `useRest` the functions reach Redis through the Upstash endpoint, as on Lambda,
 * otherwise over TCP. The RIPTIDE_LOCAL_… names are not configuration: they are for tools beside the service.
 */
export function handlerSettings(addresses: StackAddresses, useRest: boolean): Record<string, string> {
  const { redisUrl, rest, s3, adminKey } = addresses;
  return {
    ...(useRest ? { UPSTASH_REDIS_REST_URL: rest.url, UPSTASH_REDIS_REST_TOKEN: rest.token } : { REDIS_URL: redisUrl }),
    PERSISTENCE_BLOBS_ENDPOINT: s3.url,
    PERSISTENCE_BLOBS_BUCKET: BUCKET,
    PERSISTENCE_BLOBS_REGION: REGION,
    PERSISTENCE_BLOBS_FORCE_PATH_STYLE: 'true',
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    PERSISTENCE_ADMIN_KEY_SHA256: hashAdminKey(adminKey),
    // CloudWatch's format has no reader here.
    POWERTOOLS_METRICS_DISABLED: 'true',
    RIPTIDE_LOCAL_REDIS_URL: redisUrl,
    RIPTIDE_LOCAL_REST_URL: rest.url,
    RIPTIDE_LOCAL_REST_TOKEN: rest.token,
  };
}

/**
 * Names and values for the encryption of values: the stack's own KMS, unless the person at the terminal has named another
 * keeper of the master key.
 */
export function encryptionSettings(kms: StackAddresses['kms'], environment: NodeJS.ProcessEnv): Record<string, string> {
  const named = environment.PERSISTENCE_ENCRYPTION_PROVIDER?.trim().toLowerCase() || 'kms';
  if (named !== 'kms' || environment.PERSISTENCE_ENCRYPTION_MASTER_KEY_FILE?.trim()) return {};
  return { PERSISTENCE_ENCRYPTION_KMS_KEY_ID: kms.keyId, PERSISTENCE_ENCRYPTION_KMS_ENDPOINT: kms.url };
}

/** What signs webhooks: made from the admin key, so that it stays; unless the person at the terminal has named another. */
export function alertSettings(adminKey: string, environment: NodeJS.ProcessEnv): Record<string, string> {
  if (environment.RIPTIDE_CONFIG || environment.PERSISTENCE_ALERTS_WEBHOOK_SECRET) return {};
  const bytes = createHmac('sha256', adminKey).update('riptide local webhooks').digest('base64');
  return { PERSISTENCE_ALERTS_WEBHOOK_SECRET: `whsec_${bytes}` };
}

/** Settings of the machine that would lead the functions past the stack: another Redis, another AWS account. */
const FOREIGN = ['REDIS_URL', 'UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN', 'AWS_PROFILE', 'AWS_SESSION_TOKEN'];

/**
 * Puts the settings into this process, before any function is loaded. Where nothing says how much to log, a terminal is
 * spared the line of each refused request.
 */
export function applySettings(settings: Readonly<Record<string, string>>, environment: NodeJS.ProcessEnv): void {
  for (const name of FOREIGN) delete environment[name];
  Object.assign(environment, settings);
  if (!environment.RIPTIDE_CONFIG) environment.PERSISTENCE_LOG_LEVEL ||= 'warn';
}
