import type { KMSClient } from '@aws-sdk/client-kms';
import { deadlineSignal } from '../aws/deadline-signal.ts';
import type { EncryptionConfig } from '../config/config.ts';
import type { GeneratedKey, KeyCallOptions, KeyContext, KeyProvider } from './key-provider.ts';
import { kmsFailure } from './kms-failure.ts';

/** The SDK, loaded, and a client of it. */
interface KmsConnection {
  readonly sdk: typeof import('@aws-sdk/client-kms');
  readonly client: KMSClient;
}

/** Keys for this client only. Without them: AWS's own chain (environment, role of the function). */
export interface KmsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** One more try hides a connection that died while the function was frozen; a KMS that is down is told quickly. */
const MAX_ATTEMPTS = 2;
const MAX_CONNECT_MS = 1000;
const KEY_SPEC = 'AES_256';

export type KmsSettings = Pick<EncryptionConfig, 'kmsKeyId' | 'kmsEndpoint' | 'region' | 'requestTimeoutMs'>;

/**
 * Master keys in AWS KMS, or anything that speaks its API. Nothing is loaded or connected before the first call; each
 * ends within `requestTimeoutMs`, retries included. The context is KMS's encryption context: it is authenticated, and
 * written into CloudTrail.
 */
export function createKmsProvider(
  config: KmsSettings,
  deps: { readonly credentials?: KmsCredentials } = {},
): KeyProvider {
  const connect = lazyConnection(config, deps.credentials);
  const KeyId = config.kmsKeyId;

  /** Runs a call under the deadline. Whatever the SDK throws becomes an error of ours, here and nowhere else. */
  async function run<T>(
    operation: string,
    options: KeyCallOptions | undefined,
    call: (connection: KmsConnection, sending: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const abortSignal = deadlineSignal(config.requestTimeoutMs, options?.signal);
    try {
      return await call(await connect(), { abortSignal });
    } catch (error) {
      throw kmsFailure(operation, abortSignal.aborted ? abortSignal.reason : error);
    }
  }

  return {
    kind: 'kms',

    generate: (context, options) =>
      run('GenerateDataKey', options, async ({ sdk, client }, sending): Promise<GeneratedKey> => {
        const input = { KeyId, KeySpec: KEY_SPEC, EncryptionContext: contextOf(context) } as const;
        const made = await client.send(new sdk.GenerateDataKeyCommand(input), sending);
        return { plaintext: bytes(made.Plaintext), wrapped: base64(made.CiphertextBlob), keyId: text(made.KeyId) };
      }),

    unwrap: ({ wrapped, keyId }, context, options) =>
      run('Decrypt', options, async ({ sdk, client }, sending) => {
        // The key is named: KMS must not try whatever key the bytes name.
        const input = {
          KeyId: keyId,
          CiphertextBlob: Buffer.from(wrapped, 'base64'),
          EncryptionContext: contextOf(context),
        };
        return bytes((await client.send(new sdk.DecryptCommand(input), sending)).Plaintext);
      }),

    wrap: (plaintext, context, options) =>
      run('Encrypt', options, async ({ sdk, client }, sending) => {
        const input = { KeyId, Plaintext: plaintext, EncryptionContext: contextOf(context) };
        const sealed = await client.send(new sdk.EncryptCommand(input), sending);
        return { wrapped: base64(sealed.CiphertextBlob), keyId: text(sealed.KeyId) };
      }),

    currentKeyId: (options) =>
      run('DescribeKey', options, async ({ sdk, client }, sending) => {
        const { KeyMetadata } = await client.send(new sdk.DescribeKeyCommand({ KeyId }), sending);
        return text(KeyMetadata?.Arn);
      }),
  };
}

/** KMS takes no empty values: a key of the deployment has no tenant. */
function contextOf({ tenant, purpose }: KeyContext): Record<string, string> {
  return tenant === '' ? { purpose } : { tenant, purpose };
}

function lazyConnection(config: KmsSettings, credentials: KmsCredentials | undefined): () => Promise<KmsConnection> {
  let connection: Promise<KmsConnection> | undefined;
  const connect = async (): Promise<KmsConnection> => {
    const sdk = await import('@aws-sdk/client-kms');
    const client = new sdk.KMSClient({
      region: config.region,
      maxAttempts: MAX_ATTEMPTS,
      requestHandler: {
        connectionTimeout: Math.min(MAX_CONNECT_MS, config.requestTimeoutMs),
        requestTimeout: config.requestTimeoutMs,
      },
      ...(config.kmsEndpoint === '' ? {} : { endpoint: config.kmsEndpoint }),
      ...(credentials === undefined ? {} : { credentials }),
    });
    return { sdk, client };
  };
  return () => {
    connection ??= connect();
    return connection;
  };
}

/** A field every answer has; an endpoint that leaves it out is none of KMS. */
function text(field: string | undefined): string {
  if (field === undefined || field === '') throw new Error('incomplete answer');
  return field;
}

function bytes(field: Uint8Array | undefined): Buffer {
  if (field === undefined || field.length === 0) throw new Error('incomplete answer');
  return Buffer.from(field.buffer, field.byteOffset, field.byteLength);
}

const base64 = (field: Uint8Array | undefined): string => bytes(field).toString('base64');
