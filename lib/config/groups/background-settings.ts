import { defineSettings } from '../setting.ts';
import { bytes, choice, flag, integer, milliseconds, ratio, seconds, url } from '../value-types.ts';

/** Sessions that move from Redis to S3 and back. */
export const spilloverSettings = defineSettings({
  max_memory_bytes: {
    type: bytes(65_536),
    default: '104857600',
    hot: true,
    about: 'Memory of all tenants’ sessions together',
  },
  threshold_ratio: {
    type: ratio(0.1, 0.99),
    default: '0.8',
    hot: true,
    about: 'Part of it above which the least recently used sessions are moved to S3',
  },
  interval_seconds: { type: seconds(5, 60), default: '30', hot: true, about: 'How often this is looked at' },
  batch_size: { type: integer(1, 100), default: '10', hot: true, about: 'Sessions moved in one step' },
  storage_class: {
    type: choice('STANDARD', 'STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'GLACIER_IR'),
    default: 'STANDARD',
    hot: true,
    about: 'S3 storage class that sessions are moved to: one that is read at once',
  },
});

/** The persistence worker: event positions and write-behind. */
export const workerSettings = defineSettings({
  queue_size: {
    type: integer(1, 1_000_000),
    default: '1000',
    hot: false,
    about: 'Accepted and not yet written, at most',
    awaits: 'the worker',
  },
  batch_size: {
    type: integer(1, 10_000),
    default: '50',
    hot: false,
    about: 'Written in one round trip, at most',
    awaits: 'the worker',
  },
  flush_interval_ms: {
    type: milliseconds(1),
    default: '100',
    hot: false,
    about: 'Longest wait for a batch to fill',
    awaits: 'the worker',
  },
  max_attempts: {
    type: integer(1, 100),
    default: '3',
    hot: false,
    about: 'Tries before a dead letter is written',
    awaits: 'the worker',
  },
  retry_base_ms: {
    type: milliseconds(1, 60_000),
    default: '100',
    hot: false,
    about: 'The n-th repeat waits 2^n times this',
    awaits: 'the worker',
  },
  shutdown_timeout_ms: {
    type: milliseconds(1),
    default: '5000',
    hot: false,
    about: 'Longest time the last flush takes',
    awaits: 'the worker',
  },
  max_pending_per_session: {
    type: integer(1, 1_000_000),
    default: '1000',
    hot: false,
    about: 'Events of one session that wait, at most',
    awaits: 'the worker',
  },
});

/** Render sessions and the headless service they use. */
export const renderSettings = defineSettings({
  base_url: {
    type: url({ expected: 'http:// or https:// and a host', protocols: ['http:', 'https:'] }),
    default: 'http://localhost:9123',
    hot: false,
    fixed: true,
    about: 'The headless service',
    secret: 'password',
    awaits: 'render sessions',
  },
  ttl_seconds: {
    type: seconds(1),
    default: '3600',
    hot: false,
    about: 'Lifetime of a render session',
    awaits: 'render sessions',
  },
  auto_renew: {
    type: flag(),
    default: 'true',
    hot: false,
    about: 'Use extends the lifetime',
    awaits: 'render sessions',
  },
  max_requests: {
    type: integer(1, 1_000_000_000),
    default: '100',
    hot: false,
    about: 'Requests of one session, at most',
    awaits: 'render sessions',
  },
  track_metrics: {
    type: flag(),
    default: 'true',
    hot: false,
    about: 'Times are kept per session',
    awaits: 'render sessions',
  },
  cleanup_interval_seconds: {
    type: seconds(1, 86_400),
    default: '300',
    hot: false,
    about: 'How often expired ones are removed',
    awaits: 'render sessions',
  },
});
