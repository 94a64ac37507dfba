/**
 * The port to whoever holds the master key. kms-provider.ts (AWS KMS) and local-provider.ts (a file) implement it; the
 * suite is test/conformance/key-provider.test.ts.
 */

/** What a wrapped key belongs to: it unwraps under the same context only. Shown in the log of KMS, so no secrets. */
export interface KeyContext {
  /** Tenant id; empty for a key of the deployment. */
  readonly tenant: string;
  /** As `data-key`. */
  readonly purpose: string;
}

/** A key as it is stored. */
export interface WrappedKey {
  /** Base64; only the provider can read it. */
  readonly wrapped: string;
  /** The master key it is wrapped under: an ARN, or the id of a line in the file. */
  readonly keyId: string;
}

export interface GeneratedKey extends WrappedKey {
  /** 32 bytes. The caller overwrites them when it has made a key of them. */
  readonly plaintext: Buffer;
}

export interface KeyCallOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Each call ends within `encryption.requestTimeoutMs` and throws
 * {KeyProviderUnavailableError} it cannot be reached, or cannot answer now,
 * {KeyRefusedError} it has answered, and will not: `reason` says why,
 * {ConfigError} the file of master keys cannot be used.
 */
export interface KeyProvider {
  readonly kind: 'kms' | 'local';
  /** A new data key, 256 bits, wrapped under the current master key. */
  generate(context: KeyContext, options?: KeyCallOptions): Promise<GeneratedKey>;
  /** The key itself: 32 bytes, or as many as were wrapped. */
  unwrap(key: WrappedKey, context: KeyContext, options?: KeyCallOptions): Promise<Buffer>;
  /** Wraps a key under the current master key: what a rotation of the master key does to every data key. */
  wrap(plaintext: Uint8Array, context: KeyContext, options?: KeyCallOptions): Promise<WrappedKey>;
  /** The master key that wraps now; a key with another `keyId` is due to be wrapped again. */
  currentKeyId(options?: KeyCallOptions): Promise<string>;
}
