/** Whatever was stored by any version is read by this one, and what is written today is the same. */
import { describe, expect, it } from 'vitest';
import { markField, packAlert, unpackAlert, unpackMark } from '../../lib/alerts/alert-format.ts';
import { AlertResponse } from '../../lib/alerts/contract.ts';
import { parseEntry as parseAuditEntry } from '../../lib/audit/entry.ts';
import { readEntry, readHead } from '../../lib/cache/entry.ts';
import { type BlobRef, packStub, parseEntry, parseHead } from '../../lib/cache/entry-format.ts';
import { createValuePacker } from '../../lib/cache/value-packer.ts';
import type { CacheConfig } from '../../lib/config/config.ts';
import { parseApiKey } from '../../lib/gate/caller.ts';
import { packContext, unpackContext, unpackContextData } from '../../lib/gate/context-format.ts';
import { NO_COUNTERS, unpackCounters } from '../../lib/gate/counters.ts';
import { packKey, packLimits, packOwnLimit, unpackKey, unpackLimits } from '../../lib/gate/gate-fields.ts';
import { HOLD_ID, type TenantId } from '../../lib/ids.ts';
import { parseExpiryMember } from '../../lib/keys.ts';
import { resourceOfCode, unpackHeld } from '../../lib/quotas/held-format.ts';
import { unpackStoredKey } from '../../lib/tenants/api-key-format.ts';
import { choicesOf } from '../../lib/tenants/cache-choices.ts';
import { CacheSettingsResponse } from '../../lib/tenants/cache-contract.ts';
import { TenantResponse } from '../../lib/tenants/contract.ts';
import { QuotaRequestResponse } from '../../lib/tenants/quota-request-contract.ts';
import { requestsOf } from '../../lib/tenants/quota-request-decision.ts';
import { packRecord, unpackRecord } from '../../lib/tenants/record-format.ts';
import { sessionChoicesOf } from '../../lib/tenants/session-choices.ts';
import { SessionSettingsResponse } from '../../lib/tenants/session-contract.ts';
import { searchText } from '../../lib/tenants/tenant-summary.ts';
import { countersText } from '../support/counters-text.ts';
import { keyMember } from '../support/index-member.ts';
import { golden, goldenGate, goldenKeys, goldenText } from '../support/stored-formats.ts';

const READING = {
  name: { namespace: 'ns', key: 'k' },
  nowMs: 0,
  maxBytes: 10_000,
  fetch: () => Promise.reject(new Error('none of these is in S3')),
  open: () => Promise.reject(new Error('none of these is sealed')),
};

describe('stored cache entries [C1 C3 C5]', () => {
  it.each(golden.entries)('$codec is read, with its metadata', async ({ key, codec, value_base64, meta }) => {
    const stored = goldenText(key);
    const entry = await readEntry(stored, READING);
    expect(entry.value.toString('base64')).toBe(value_base64);
    expect(entry.meta).toEqual(meta);
    expect(parseEntry(stored).head.codec).toBe(codec);
    expect(readHead(stored.slice(0, stored.indexOf('}\n') + 1) || stored, 0).etag).toBe(entry.etag);
  });

  it('there is a sample of every codec', () => {
    expect(golden.entries.map(({ codec }) => codec).sort()).toEqual(['b64', 'lz4', 'text', 'zstd']);
  });

  // Compressed bytes may change with the library; a digest of them is stored, so either is read.
  it.each(golden.entries.filter(({ codec }) => codec === 'text' || codec === 'b64'))(
    '$codec is written as it was',
    async ({ key, value_base64, meta }) => {
      const config = { maxEntrySizeBytes: 10_000 } as CacheConfig;
      const packer = createValuePacker(config);
      const value = Buffer.from(value_base64, 'base64');
      const compressed = await packer.compress({ name: { namespace: 'ns', key }, value, meta }, 'none');
      const written = packer.pack(compressed, null);
      const stored = goldenText(key);
      expect(stored.slice(stored.indexOf('\n') + 1)).toBe(written.body);
      expect(parseEntry(stored).head).toMatchObject({ digest: written.digest, metaBytes: written.metaBytes });
    },
  );
});

describe('stored cache entries of the second format [C1 C3 C5 C9]', () => {
  it.each(golden.cacheEntries)('$codec is read, with its metadata', async ({ stored, codec, value_base64, meta }) => {
    const entry = await readEntry(stored, READING);
    expect(entry.value.toString('base64')).toBe(value_base64);
    expect(entry.meta).toEqual(meta);
    expect(parseEntry(stored).head).toMatchObject({ codec, blob: null });
  });

  it('there is a sample of every codec, of grace and of tags', () => {
    const codecs = golden.cacheEntries.map(({ codec }) => codec);
    expect([...new Set(codecs)].sort()).toEqual(['b64', 'lz4', 'num', 'text', 'zstd']);
    const [first] = golden.cacheEntries.map(({ stored }) => parseEntry(stored));
    expect(first?.head).toMatchObject({ expiresAtMs: 1_804_274_567_558, freshUntilMs: 1_804_274_507_558, seq: 1 });
    expect(first?.meta.tags).toEqual(['a', 'b{"c']);
  });

  it.each(golden.cacheEntries.filter(({ codec }) => codec === 'text' || codec === 'b64'))(
    '$codec is written as it was',
    async ({ stored, value_base64, meta }) => {
      const packer = createValuePacker({ maxEntrySizeBytes: 10_000 } as CacheConfig);
      const value = Buffer.from(value_base64, 'base64');
      const compressed = await packer.compress({ name: { namespace: 'ns', key: 'k' }, value, meta }, 'none');
      const written = packer.pack(compressed, null);
      expect(stored.slice(stored.indexOf('\n') + 1)).toBe(written.body);
      expect(parseEntry(stored).head).toMatchObject({ digest: written.digest, metaBytes: written.metaBytes });
    },
  );
});

describe('a stored entry whose value is in S3 [C6]', () => {
  const { stored, meta, blob } = golden.stub;

  it('names its object, and is read by it', async () => {
    const { head, meta: read } = parseHead(stored);
    expect(read).toEqual(meta);
    expect(head).toMatchObject({ blob, codec: 'raw', rawBytes: 1_500_000, chargedBytes: 542, seq: 1 });
    const bytes = Buffer.alloc(blob.bytes, 'x');
    const fetch = (asked: BlobRef) => Promise.resolve(asked.ulid === blob.ulid ? bytes : Buffer.alloc(0));
    const entry = await readEntry(stored, { ...READING, maxBytes: 2_000_000, fetch });
    expect(entry).toMatchObject({ meta, value: bytes, etag: 'OV20uy26D_WP4Wvc1SXWLv' });
  });

  it('is written as it was', () => {
    const written = packStub(meta, { codec: 'raw', rawBytes: 1_500_000, sha256: blob.sha256 });
    expect(stored.slice(stored.indexOf('\n') + 1)).toBe(written.body);
    expect(parseHead(stored).head).toMatchObject({ digest: written.digest, metaBytes: written.metaBytes });
  });
});

const NO_SESSIONS = {
  sessions: 0,
  hotSessionBytes: 0,
  spilledSessions: 0,
  spilledBytes: 0,
  keptBytes: 0,
  feedSeq: 0,
  feedEpochMs: 0,
};

describe('stored fields of the gate [T2 T4 T5]', () => {
  it('counters of the third format', () => {
    expect(unpackCounters(golden.counters)).toEqual({
      minute: 29_921_241,
      operationsThisMinute: 7,
      periodEndMs: 1_796_083_200_000,
      transferBytes: 1_701,
      operations: 7,
      hits: 2,
      misses: 1,
      bytesOut: 21,
      computeUs: 4_210,
      accessUs: 913,
      bytesIn: 1_680,
      memoryBytes: 1_477,
      entries: 3,
      seq: 4,
      storageBytes: 65_536,
      stockAtMs: 1_795_274_507_591,
      memoryByteMs: 7_331n,
      storageByteMs: 655_360n,
      rawBytes: 3_367,
      packedBytes: 1_234,
      ...NO_SESSIONS,
    });
  });

  it('counters of the fourth format: the same, and sessions', () => {
    expect(unpackCounters(golden.sessionCounters)).toEqual({
      ...unpackCounters(golden.counters),
      memoryBytes: 5_477,
      sessions: 5,
      hotSessionBytes: 3_210,
      spilledSessions: 2,
      spilledBytes: 61_440,
    });
  });

  it('counters of the fifth format: the same, what is kept, and the feed of changes', () => {
    expect(unpackCounters(golden.feedCounters)).toEqual({
      ...unpackCounters(golden.sessionCounters),
      keptBytes: 640,
      feedSeq: 3,
      feedEpochMs: 1_795_274_400_000,
    });
    expect(countersText(unpackCounters(golden.feedCounters)).split(',').slice(3)).toEqual(
      golden.feedCounters.split(',').slice(3),
    );
  });

  it('limits', () => {
    const limits = unpackLimits(goldenGate.h ?? '');
    const { quotas } = golden.tenant;
    expect(limits).toMatchObject({ status: 'active', contextVersion: 1, generation: 1, quotas });
    expect(packLimits(limits)).toBe(goldenGate.h);
  });

  it('counters', () => {
    expect(unpackCounters(goldenGate.m ?? '')).toMatchObject({
      operationsThisMinute: 8,
      operations: 8,
      hits: 1,
      misses: 1,
      bytesIn: 3_727,
      bytesOut: 39,
      memoryBytes: 1_923,
      entries: 4,
      seq: 6,
      computeUs: 1_234,
    });
    expect(new Set(Object.values(unpackCounters(NO_COUNTERS)))).toEqual(new Set([0, 0n]));
  });

  it('context', () => {
    const none = { keys: [], data_key: 0, policies: null, cache: {}, sessions: {} };
    expect(unpackContext('1', '1', goldenGate.x ?? '')).toEqual({ version: '1', generation: 1, ...none });
    expect(packContext()).toBe(JSON.stringify(none));
  });

  it('context with settings of the cache, beside what the tenant asked for', () => {
    const { settings, context } = golden.cacheSettings;
    expect(CacheSettingsResponse.parse(settings)).toEqual(settings);
    const read = unpackContextData(context);
    expect(read.cache).toEqual(choicesOf(settings));
    expect(read.sessions).toEqual({});
  });

  it('context with settings of the cache and of sessions, beside what the tenant asked for', () => {
    const { settings, context } = golden.sessionSettings;
    expect(SessionSettingsResponse.parse(settings)).toEqual(settings);
    const read = unpackContextData(context);
    expect(read.sessions).toEqual(sessionChoicesOf(settings));
    expect(read.cache).toEqual(choicesOf(golden.cacheSettings.settings));
    expect(packContext(read)).toBe(context);
  });

  it('what is reserved', () => {
    expect(unpackHeld(goldenGate.r ?? null)).toMatchObject({ memoryBytes: 0, storageBytes: 700, transferBytes: 0 });
    const [member = ''] = golden.sortedSets[goldenKeys.holds(golden.tenant.id)] ?? [];
    const [id = '', code = '', amount] = member.split(',');
    expect(HOLD_ID.test(id)).toBe(true);
    expect(resourceOfCode(code)).toBe('storage_bytes');
    expect(goldenGate[`q:${id}`]).toMatch(new RegExp(`^q1,${code},${amount},\\d+,0$`));
  });

  it('API keys', () => {
    const { keyHash } = parseApiKey(golden.apiKey);
    const id = golden.apiKey.split('_')[2] ?? '';
    const scopes = ['cache:read', 'cache:write'];
    const known = { id, expiresAtMs: 9_999_999_999_999, revoked: false, lastUsedAtMs: null };
    expect(unpackKey(goldenGate[`k:${keyHash}`] ?? '')).toEqual(known);
    expect(unpackKey(packKey({ ...known, scopes }))).toEqual(known);
  });
});

describe('stored alerts [T10]', () => {
  const stored = golden.hashes[goldenKeys.alerts(golden.tenant.id)] ?? {};
  const [member = ''] = golden.sortedSets[goldenKeys.alertsDue()] ?? [];
  const text = stored[member.split(',')[1] ?? ''] ?? '';

  it('with their deliveries', () => {
    expect(AlertResponse.parse(unpackAlert(text))).toMatchObject({ threshold_percent: 80, deliveries: [{}, {}] });
    expect(packAlert(unpackAlert(text))).toBe(text);
  });

  it('and what was told', () => {
    const field = markField({ period: '2026-11', resource: 'memory_bytes' });
    expect(unpackMark(stored[field])).toEqual({ threshold: 80, amount: 83_886_080 });
  });
});

/** A tenant that was changed several times, and deleted; the last change was not yet told. */
const CHANGED = 'tenant-01k9zzzzzzzzzzzzzzzzzzzzz3' as TenantId;

describe('stored records and names [T1 T2]', () => {
  it('the tenant', () => {
    const record = JSON.parse(golden.strings[goldenKeys.record(golden.tenant.id)] ?? '');
    expect(TenantResponse.parse(record)).toEqual(golden.tenant);
  });

  it('members of the index', () => {
    const members = golden.sortedSets[goldenKeys.index(golden.tenant.id, 1)] ?? [];
    const name = { namespace: 'ns', key: 'bytes\0%2f {x}' };
    expect(members).toContain(keyMember(name));
    const expiries = members.filter((member) => member.startsWith('e\0')).map(parseExpiryMember);
    expect(expiries).toContainEqual({ expiresAtMs: 10_795_227_660_003, kind: 'c', name });
  });

  it('the tenant with its revision, and what makes it found', () => {
    const { rev, op, tenant } = unpackRecord(golden.strings[goldenKeys.record(CHANGED)] ?? '');
    expect({ rev, op }).toEqual({ rev: 4, op: '01k9zzzzzzzzzzzzzzzzzzzzz7' });
    expect(TenantResponse.parse(tenant)).toEqual(tenant);
    expect(golden.strings[goldenKeys.record(CHANGED)]).toBe(packRecord({ rev, op, tenant }));
    const summary = golden.hashes[goldenKeys.tenantSummary()]?.[CHANGED];
    expect(summary).toBe(`3\tstarter\tactive\t${searchText(tenant)}`);
    expect(golden.sortedSets[goldenKeys.tenantIndex()]).toContain(`b\0starter\0active\0${CHANGED}`);
  });

  it('a key with its own limit, and a request for higher quotas', () => {
    const [keyText = ''] = Object.values(golden.hashes[goldenKeys.apiKeys(CHANGED)] ?? {});
    const { hash, revoked, record } = unpackStoredKey(keyText);
    expect({ revoked, ...record }).toMatchObject({ revoked: false, scopes: ['cache:read'], name: 'ž' });
    const gate = golden.hashes[goldenKeys.gate(CHANGED)] ?? {};
    expect(gate[`l:${hash}`]).toBe(packOwnLimit({ operations_per_minute: 30 }));
    const requests = new Map(Object.entries(golden.hashes[goldenKeys.quotaRequests(CHANGED)] ?? {}));
    const [request] = requestsOf({ requests });
    expect(QuotaRequestResponse.parse(request)).toEqual(request);
    expect(parseAuditEntry(gate.o ?? '')).toMatchObject({ action: 'tenant.delete', tenant_id: CHANGED });
  });

  it('every key, under the name it has today', () => {
    const { id } = golden.tenant;
    const known = [
      goldenKeys.gate(id),
      goldenKeys.record(id),
      goldenKeys.apiKeys(id),
      goldenKeys.index(id, 1),
      goldenKeys.holds(id),
      goldenKeys.alerts(id),
      goldenKeys.billing(id),
      goldenKeys.alertsDue(),
      goldenKeys.refusals(),
      goldenKeys.tenants(),
      goldenKeys.job('job-01kaj4dz5s3zzzzzzzzzzzzzz2'),
      goldenKeys.job('job-01kaj4dz5s3zzzzzzzzzzzzzz3'),
      goldenKeys.job('job-01kaj4dz5s3zzzzzzzzzzzzzz4'),
      goldenKeys.jobIndex(),
      goldenKeys.jobsDue(),
      goldenKeys.jobsEnded(),
      goldenKeys.tenantReservations(),
      goldenKeys.tenantIndex(),
      goldenKeys.tenantSummary(),
      goldenKeys.record(CHANGED),
      goldenKeys.gate(CHANGED),
      goldenKeys.apiKeys(CHANGED),
      goldenKeys.quotaRequests(CHANGED),
      ...golden.entries.map(({ key }) => goldenKeys.cacheEntry(id, 1, { namespace: 'ns', key })),
    ];
    const stored = [golden.strings, golden.hashes, golden.sortedSets].flatMap((kind) => Object.keys(kind));
    expect(stored.filter((key) => !known.includes(key))).toEqual([
      expect.stringMatching(/^golden:v1:\{sys\}:idem:[\w-]{43}$/),
    ]);
    expect(known.filter((key) => !stored.includes(key))).toEqual([]);
  });
});
