/**
 * The effective configuration: what load-config.ts makes of file, profile, environment and defaults.
 * Milliseconds and bytes inside, whatever the names outside say. schema.ts is checked against these types.
 */
import type { Tariff } from '../billing/tariff.ts';
import type { StorageClass } from '../blobs/store.ts';

export interface Config {
  readonly profile: 'default' | 'production';
  readonly redis: RedisConfig;
  readonly cache: CacheConfig;
  readonly tenant: TenantConfig;
  readonly billing: BillingConfig;
  readonly blobs: BlobConfig;
  readonly encryption: EncryptionConfig;
  readonly http: HttpConfig;
  readonly admin: { /** SHA-256 of the admin key, hex. */ readonly keySha256: string };
  readonly state: StateConfig;
  readonly sessions: SessionConfig;
  readonly spillover: SpilloverConfig;
  readonly worker: WorkerConfig;
  readonly render: RenderConfig;
  readonly alerts: AlertConfig;
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' };
}

export interface RedisConfig {
  /** `rest` when UPSTASH_REDIS_REST_URL (or redis.rest_url) is set, else `tcp`. */
  readonly transport: 'rest' | 'tcp';
  readonly url: string;
  readonly restUrl: string;
  readonly restToken: string;
  readonly poolSize: number;
  readonly connectionTimeoutMs: number;
  readonly commandTimeoutMs: number;
  readonly clusterMode: boolean;
  readonly retryAttempts: number;
  readonly retryDelayMs: number;
  readonly enablePipelining: boolean;
  readonly maxPipelineSize: number;
}

export type Compression = 'none' | 'lz4' | 'zstd';

export interface CacheConfig {
  readonly defaultTtlMs: number;
  readonly maxEntrySizeBytes: number;
  readonly keyPrefix: string;
  readonly version: string;
  readonly enableCompression: boolean;
  readonly compressionThresholdBytes: number;
  readonly compressionAlgorithm: Compression;
  readonly enableWarming: boolean;
  readonly warmingBatchSize: number;
  readonly maxMemoryBytes: number;
  readonly evictionPolicy: 'lru' | 'none';
  readonly inlineMaxBytes: number;
  /** Of an instance's own memory; 0: it keeps no copies. */
  readonly localMaxBytes: number;
  readonly localMinEntryBytes: number;
  readonly maxLeaseMs: number;
}

/** The four quotas of a tenant. */
export interface Quotas {
  readonly memory_bytes: number;
  readonly storage_bytes: number;
  readonly operations_per_minute: number;
  readonly data_transfer_bytes: number;
}

export interface TenantConfig {
  readonly enabled: boolean;
  readonly defaultQuotas: Quotas;
  readonly isolationLevel: 'strong' | 'shared';
  readonly enableBilling: boolean;
  readonly billingIntervalMs: number;
  readonly maxTenants: number;
  /** In which the deletion of a tenant can be undone. */
  readonly undoWindowMs: number;
  readonly enableEncryption: boolean;
}

export interface AlertConfig {
  /** Of tenants that name none; empty: none. */
  readonly webhookUrl: string;
  /** The current secret first; those after it are being replaced. Empty: nothing can be signed, so nothing is sent. */
  readonly webhookSecret: readonly string[];
  readonly webhookTimeoutMs: number;
}

export interface BillingConfig {
  /** Three letters, as USD. */
  readonly currency: string;
  /** At least one, by the month each is in force from. */
  readonly tariffs: readonly Tariff[];
}

export interface BlobConfig {
  readonly bucket: string;
  /** Empty: AWS's own endpoint. */
  readonly endpoint: string;
  readonly region: string;
  readonly forcePathStyle: boolean;
  readonly requestTimeoutMs: number;
  /** `required` for S3-compatible stores that refuse the SDK's default CRC trailer. */
  readonly checksums: 'supported' | 'required';
}

export interface EncryptionConfig {
  /** Where nothing names it: `kms` when its key is set, `local` when its file is, else `none`. */
  readonly provider: 'kms' | 'local' | 'none';
  /** Id, ARN or `alias/…`. */
  readonly kmsKeyId: string;
  /** Empty: AWS's own endpoint. */
  readonly kmsEndpoint: string;
  readonly region: string;
  readonly masterKeyFile: string;
  readonly dataKeyMaxAgeMs: number;
  readonly dataKeyStaleMs: number;
  readonly requestTimeoutMs: number;
}

export interface HttpConfig {
  /** Origins browsers may call from; `*` for any; empty: none. */
  readonly corsOrigins: readonly string[];
}

/** In the file these stand in `state`, as `session_…`. */
export interface SessionConfig {
  /** Idle lifetime of a session that names none; at most `maxLifetimeMs`. */
  readonly timeoutMs: number;
  /** From its creation, however often it is used. */
  readonly maxLifetimeMs: number;
  /** Data of one session. */
  readonly maxBytes: number;
}

export interface StateConfig {
  readonly enableHotReload: boolean;
  readonly configWatchPaths: readonly string[];
  readonly checkpointIntervalMs: number;
  readonly maxCheckpoints: number;
  readonly checkpointCompression: boolean;
  /** Checkpoints kept beside the newest: of so many hours, days and weeks the newest of each. */
  readonly keptHourly: number;
  readonly keptDaily: number;
  readonly keptWeekly: number;
  /** Entries of the cache are in scheduled checkpoints. */
  readonly checkpointCache: boolean;
  /** A host that stops makes a checkpoint. */
  readonly shutdownCheckpoint: boolean;
  /** 0: never. */
  readonly restoreDrillIntervalMs: number;
  readonly enableGracefulShutdown: boolean;
  readonly shutdownTimeoutMs: number;
}

export interface SpilloverConfig {
  /** Of all tenants' sessions together. */
  readonly maxMemoryBytes: number;
  /** 0.1 to 0.99 of `maxMemoryBytes`. */
  readonly thresholdRatio: number;
  readonly intervalMs: number;
  readonly batchSize: number;
  readonly storageClass: StorageClass;
}

export interface WorkerConfig {
  readonly queueSize: number;
  readonly batchSize: number;
  readonly flushIntervalMs: number;
  readonly maxAttempts: number;
  readonly retryBaseMs: number;
  readonly shutdownTimeoutMs: number;
  readonly maxPendingPerSession: number;
}

export interface RenderConfig {
  readonly baseUrl: string;
  readonly ttlMs: number;
  readonly autoRenew: boolean;
  readonly maxRequests: number;
  readonly trackMetrics: boolean;
  readonly cleanupIntervalMs: number;
}
