/** What was set and cannot apply. Loaded after a start: nobody waits for it. */
import type { Config } from './config.ts';
import { isDeliberate, type Layer } from './layer.ts';
import { SETTINGS } from './schema.ts';

/** Settings that another one switches off. */
const SWITCHED_OFF: readonly {
  readonly when: (config: Config) => boolean;
  readonly because: string;
  readonly settings: readonly string[];
}[] = [
  {
    when: ({ redis }) => redis.transport === 'rest',
    because: 'Redis is reached through redis.rest_url',
    settings: ['redis.url', 'redis.pool_size', 'redis.connection_timeout_ms', 'redis.cluster_mode'],
  },
  {
    when: ({ redis }) => redis.transport === 'tcp',
    because: 'Redis is reached through redis.url',
    settings: ['redis.rest_url', 'redis.rest_token'],
  },
  {
    when: ({ redis }) => redis.retryAttempts === 0,
    because: 'redis.retry_attempts is 0',
    settings: ['redis.retry_delay_ms'],
  },
  {
    when: ({ redis }) => !redis.enablePipelining,
    because: 'redis.enable_pipelining is false',
    settings: ['redis.max_pipeline_size'],
  },
  {
    when: ({ cache }) => !cache.enableCompression,
    because: 'cache.enable_compression is false',
    settings: ['cache.compression_threshold_bytes', 'cache.compression_algorithm'],
  },
  {
    when: ({ cache }) => cache.enableCompression && cache.compressionAlgorithm === 'none',
    because: 'cache.compression_algorithm is none',
    settings: ['cache.compression_threshold_bytes'],
  },
  {
    when: ({ cache }) => !cache.enableWarming,
    because: 'cache.enable_warming is false',
    settings: ['cache.warming_batch_size'],
  },
  {
    when: ({ cache }) => cache.localMaxBytes === 0,
    because: 'cache.local_max_bytes is 0',
    settings: ['cache.local_min_entry_bytes'],
  },
  {
    when: ({ state }) => !state.enableHotReload,
    because: 'state.enable_hot_reload is false',
    settings: ['state.config_watch_paths'],
  },
  {
    when: ({ state }) => !state.enableGracefulShutdown,
    because: 'state.enable_graceful_shutdown is false',
    settings: ['state.shutdown_timeout_seconds', 'state.shutdown_checkpoint'],
  },
  {
    when: ({ tenant }) => !tenant.enableBilling,
    because: 'tenant.enable_billing is false',
    settings: ['tenant.billing_interval_seconds', 'billing.currency', 'billing.tariffs'],
  },
  {
    when: ({ encryption }) => encryption.provider !== 'kms',
    because: 'encryption.provider is not kms',
    settings: ['encryption.kms_key_id', 'encryption.kms_endpoint'],
  },
  {
    when: ({ encryption }) => encryption.provider !== 'local',
    because: 'encryption.provider is not local',
    settings: ['encryption.master_key_file'],
  },
  {
    when: ({ encryption }) => encryption.provider === 'none',
    because: 'encryption.provider is none',
    settings: [
      'encryption.data_key_max_age_seconds',
      'encryption.data_key_stale_seconds',
      'encryption.request_timeout_ms',
    ],
  },
];

/** What somebody set and what will not act on it: said, not ignored. */
export function notes(config: Config, layer: Layer): string[] {
  const off = SWITCHED_OFF.filter(({ when }) => when(config)).flatMap(({ settings, because }) =>
    settings.map((path) => ({ path, because })),
  );
  const waiting = SETTINGS.flatMap(({ path, awaits }) =>
    awaits === undefined ? [] : [{ path, because: `${awaits} is not built yet` }],
  );
  const told = [...off, ...waiting].flatMap(({ path, because }) => {
    const stated = layer.get(path);
    return isDeliberate(stated) ? [`${path} (${stated.origin.name}) has no effect: ${because}`] : [];
  });
  return sendsTokenInClear(config)
    ? [...told, 'redis.rest_url is http:// to another machine: its token is sent in the clear']
    : told;
}

function sendsTokenInClear({ redis }: Config): boolean {
  const target = redis.transport === 'rest' ? URL.parse(redis.restUrl) : null;
  return target?.protocol === 'http:' && !['localhost', '127.0.0.1', '[::1]'].includes(target.hostname);
}
