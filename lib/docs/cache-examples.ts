/** What calls about entries of the cache and their answers may look like. */
import type { ContractName } from '../http/contracts.ts';
import { EXPIRES_AT, type Example, TENANT, WRITTEN_AT } from './example.ts';
import { JOB } from './job-examples.ts';

const ENTRY = { namespace: 'pages', key: 'en/home' };
const ETAG = '"kJ3xR0m2Zb8"';

const CACHE_RATES = {
  hits: 9_500,
  misses: 500,
  hit_rate: 0.95,
  miss_rate: 0.05,
  avg_access_time_us: 640,
  ops_per_second: 120,
};

export const CACHE_EXAMPLES = {
  invalidateCache: {
    body: { tenant_id: TENANT, namespace: 'pages', prefix: 'en/' },
    reply: { invalidated: 118, exact: true },
  },
  invalidateOwnCache: {
    body: { tags: ['landing', 'campaign-7'] },
    reply: {
      invalidated: null,
      exact: true,
      items: [
        { tag: 'landing', invalidated: 12 },
        { tag: 'campaign-7', invalidated: 30 },
      ],
    },
  },
  exportCache: { body: { tenant_id: TENANT, namespace: 'pages', prefix: 'en/' }, reply: { job_id: JOB.id } },
  getCacheStats: {
    query: { tenant_id: TENANT, interval: 'minute' },
    reply: {
      tenant_id: TENANT,
      as_of: '2026-07-01T09:30:40.000Z',
      total_keys: 48_211,
      memory_usage_bytes: 61_004_288,
      storage_bytes: 12_582_912,
      window: { from: '2026-07-01T09:29:00.000Z', to: '2026-07-01T09:30:40.000Z' },
      ...CACHE_RATES,
      avg_compression_ratio: 2.4,
      raw_bytes: 120_000_000,
      packed_bytes: 50_000_000,
      saved_bytes: 70_000_000,
      pending_invalidations: 1,
      series: {
        interval: 'minute',
        from: '2026-07-01T09:29:00.000Z',
        to: '2026-07-01T09:30:00.000Z',
        items: [
          {
            timestamp: '2026-07-01T09:29:00.000Z',
            ...CACHE_RATES,
            total_keys: 48_190,
            memory_usage_bytes: 60_980_224,
          },
        ],
      },
    },
  },
  warmCache: {
    body: {
      tenant_id: TENANT,
      entries: [
        { namespace: 'pages', key: 'en/home', value: 'Welcome', content_type: 'text/plain', ttl_seconds: 3_600 },
        { namespace: 'pages', key: 'logo', value_base64: 'iVBORw0KGgo=', content_type: 'image/png' },
      ],
    },
    reply: {
      dry_run: false,
      counts: { skipped_exists: 1, stored: 1 },
      items: [
        { status: 'stored', namespace: 'pages', key: 'en/home' },
        { status: 'skipped_exists', namespace: 'pages', key: 'logo' },
      ],
    },
  },
  putEntry: {
    params: ENTRY,
    query: { ttl_seconds: '3600' },
    headers: { 'content-type': 'application/json', 'riptide-tags': 'home, en' },
    body: { title: 'Welcome' },
    reply: {
      etag: ETAG,
      created: true,
      expires_at: EXPIRES_AT,
      fresh_until: null,
      updated_at: WRITTEN_AT,
      size_bytes: 19,
      stored_bytes: 124,
    },
  },
  getEntry: { params: ENTRY, headers: { 'if-none-match': ETAG } },
  headEntry: { params: ENTRY },
  deleteEntry: { params: ENTRY },
  batchEntries: {
    params: { namespace: 'pages' },
    body: { set: [{ key: 'en/home', value: 'Welcome', ttl_seconds: 3_600, tags: ['home'] }] },
    reply: {
      items: [
        { key: 'en/home', status: 'created', etag: ETAG, size_bytes: 7, expires_at: EXPIRES_AT, fresh_until: null },
      ],
    },
  },
  listEntries: {
    params: { namespace: 'pages' },
    query: { prefix: 'en/', limit: '10' },
    reply: {
      items: [
        {
          key: 'en/home',
          etag: ETAG,
          size_bytes: 19,
          content_type: 'application/json',
          tags: ['home', 'en'],
          expires_at: EXPIRES_AT,
          fresh_until: null,
          updated_at: WRITTEN_AT,
        },
      ],
      next_cursor: null,
    },
  },
  incrementEntry: {
    params: { namespace: 'counters', key: 'visits' },
    query: { increment: '1', ttl_seconds: '3600' },
    reply: { value: 42, created: false, etag: ETAG, expires_at: EXPIRES_AT, fresh_until: null },
  },
  touchEntry: {
    params: ENTRY,
    query: { ttl_seconds: '3600' },
    reply: { etag: ETAG, expires_at: EXPIRES_AT, fresh_until: null },
  },
} satisfies Partial<Record<ContractName, Example>>;
