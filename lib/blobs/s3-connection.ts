import type { Readable } from 'node:stream';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import type { BlobConfig } from '../config/config.ts';
import { CorruptValueError } from '../errors.ts';

/** The SDK, loaded, and a client of it. */
export interface S3Connection {
  readonly sdk: typeof import('@aws-sdk/client-s3');
  readonly client: S3Client;
}

/** Keys for this client only. Without them: AWS's own chain (environment, role of the function). */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** One more try hides a connection that died while the function was frozen; a store that is down is told quickly. */
const MAX_ATTEMPTS = 2;
const MAX_CONNECT_MS = 1000;

/**
 * Connects on first use: the SDK takes longer to load than a cache hit to answer, and most requests never need it.
 * @returns the same connection each time.
 */
export function lazyConnection(config: BlobConfig, credentials?: S3Credentials): () => Promise<S3Connection> {
  let connection: Promise<S3Connection> | undefined;
  const connect = async (): Promise<S3Connection> => {
    const sdk = await import('@aws-sdk/client-s3');
    return { sdk, client: new sdk.S3Client(clientConfig(config, credentials)) };
  };
  return () => {
    connection ??= connect();
    return connection;
  };
}

function clientConfig(config: BlobConfig, credentials: S3Credentials | undefined): S3ClientConfig {
  const checksums = config.checksums === 'required' ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED';
  return {
    region: config.region,
    forcePathStyle: config.forcePathStyle,
    maxAttempts: MAX_ATTEMPTS,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    requestHandler: {
      connectionTimeout: Math.min(MAX_CONNECT_MS, config.requestTimeoutMs),
      requestTimeout: config.requestTimeoutMs,
    },
    ...(config.endpoint === '' ? {} : { endpoint: config.endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  };
}

/**
 * Reads a body to its end; on any error it is destroyed, so its connection is not left half read.
 * @param sizeBytes as the answer's header says it.
 * @throws {CorruptValueError} longer than `maxBytes`: nothing of it was read.
 */
export async function readBody(
  body: Readable,
  limits: { readonly sizeBytes: number; readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<Buffer> {
  const { sizeBytes, maxBytes, signal } = limits;
  if (sizeBytes > maxBytes) {
    body.destroy();
    throw new CorruptValueError('A stored object is longer than it may be', { details: { sizeBytes, maxBytes } });
  }
  // Not imported: a cold start that asks for no object need not load streams.
  const { addAbortSignal } = process.getBuiltinModule('node:stream');
  const chunks: Buffer[] = [];
  let readBytes = 0;
  for await (const chunk of addAbortSignal(signal, body) as AsyncIterable<Buffer>) {
    readBytes += chunk.length;
    if (readBytes > sizeBytes) throw new CorruptValueError('A stored object is longer than it says');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, readBytes);
}
