/** What settings say about each other: contradictions are errors. */
import type { Issue } from '../errors.ts';
import type { Config } from './config.ts';
import { isDeliberate, type Layer } from './layer.ts';

interface Rule {
  /** The setting it is told of first, then the others it reads. */
  readonly settings: readonly [string, ...string[]];
  readonly expected: string;
  holds(config: Config, layer: Layer): boolean;
}

const RULES: readonly Rule[] = [
  {
    settings: ['redis.rest_token', 'redis.rest_url'],
    expected: 'the token of redis.rest_url; set PERSISTENCE_REDIS_REST_TOKEN',
    holds: ({ redis }) => redis.transport === 'tcp' || redis.restToken !== '',
  },
  {
    settings: ['cache.inline_max_bytes', 'cache.max_entry_size_bytes'],
    expected: 'at most cache.max_entry_size_bytes',
    holds: ({ cache }, layer) =>
      cache.inlineMaxBytes <= cache.maxEntrySizeBytes || !isDeliberate(layer.get('cache.inline_max_bytes')),
  },
  {
    settings: ['cache.max_entry_size_bytes', 'cache.max_memory_bytes'],
    expected: 'at most cache.max_memory_bytes',
    holds: ({ cache }) => cache.maxEntrySizeBytes <= cache.maxMemoryBytes,
  },
  {
    settings: ['state.session_timeout_seconds', 'state.session_max_lifetime_seconds'],
    expected: 'at most state.session_max_lifetime_seconds',
    holds: ({ sessions }) => sessions.timeoutMs <= sessions.maxLifetimeMs,
  },
  {
    settings: ['alerts.webhook_secret', 'alerts.webhook_url'],
    expected: 'a secret to sign what is sent to alerts.webhook_url; set PERSISTENCE_ALERTS_WEBHOOK_SECRET',
    holds: ({ alerts }) => alerts.webhookUrl === '' || alerts.webhookSecret.length > 0,
  },
  {
    settings: ['worker.batch_size', 'worker.queue_size'],
    expected: 'at most worker.queue_size',
    holds: ({ worker }) => worker.batchSize <= worker.queueSize,
  },
  {
    settings: ['encryption.kms_key_id', 'encryption.provider'],
    expected: 'the master key of encryption.provider kms; set PERSISTENCE_ENCRYPTION_KMS_KEY_ID',
    holds: ({ encryption }) => encryption.provider !== 'kms' || encryption.kmsKeyId !== '',
  },
  {
    settings: ['encryption.master_key_file', 'encryption.provider'],
    expected: 'the file of encryption.provider local; set PERSISTENCE_ENCRYPTION_MASTER_KEY_FILE',
    holds: ({ encryption }) => encryption.provider !== 'local' || encryption.masterKeyFile !== '',
  },
  {
    settings: ['encryption.provider', 'encryption.kms_key_id', 'encryption.master_key_file'],
    expected: 'kms or local, because both have a key; set PERSISTENCE_ENCRYPTION_PROVIDER',
    holds: ({ encryption }, layer) =>
      encryption.kmsKeyId === '' || encryption.masterKeyFile === '' || isDeliberate(layer.get('encryption.provider')),
  },
  {
    settings: ['encryption.data_key_max_age_seconds', 'encryption.data_key_stale_seconds'],
    expected: 'at most encryption.data_key_stale_seconds',
    holds: ({ encryption }) => encryption.dataKeyMaxAgeMs <= encryption.dataKeyStaleMs,
  },
];

/** Contradictions. Rules that read a setting in `bad` are left out: it is reported already. */
export function contradictions(config: Config, layer: Layer, bad: ReadonlySet<string>): Issue[] {
  return RULES.filter((rule) => !rule.settings.some((path) => bad.has(path)) && !rule.holds(config, layer)).map(
    (rule) => ({
      field: rule.settings[0],
      message: `expected ${rule.expected}; ${rule.settings.map((path) => `${path} is set by ${layer.get(path)?.origin.name}`).join(', ')}`,
    }),
  );
}
