/** What becomes of a tenant: decisions that touch nothing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_CONTEXT } from '../../lib/gate/context-format.ts';
import { NO_COUNTERS, unpackCounters } from '../../lib/gate/counters.ts';
import { unpackLimits } from '../../lib/gate/gate-fields.ts';
import { remove, resume, suspend, undelete } from '../../lib/tenants/lifecycle.ts';
import { changeRouteLimits } from '../../lib/tenants/own-limits.ts';
import { etagOf, packRecord, unpackRecord } from '../../lib/tenants/record-format.ts';
import { limitsOf } from '../../lib/tenants/tenant-change.ts';
import type { CurrentTenant } from '../../lib/tenants/tenant-reader.ts';
import { searchText } from '../../lib/tenants/tenant-summary.ts';
import { decideUpdate, needsKey } from '../../lib/tenants/update-decision.ts';
import { golden } from '../support/stored-formats.ts';

const TENANT = { ...golden.tenant, rate_limit: { burst: 5 } };
const NOW = Date.parse('2026-12-01T00:00:00.000Z');
const DAY = 86_400_000;
const KEY = { version: 3, key_id: 'm', wrapped: 'w' };

const current = (changes: Partial<CurrentTenant> = {}): CurrentTenant => ({
  stored: { rev: 1, op: 'o', tenant: TENANT },
  limits: unpackLimits('h1,active,1,1,60000,5,1,1,1'),
  counters: unpackCounters(NO_COUNTERS),
  context: EMPTY_CONTEXT,
  outbox: '',
  requests: new Map(),
  apiKeys: 0,
  ...changes,
});
const NOT_FORCED = { force: false, nowMs: NOW };

describe('an update [A4]', () => {
  it('names what changed, and tells values of limits and plans only', () => {
    const owner = { ...TENANT.owner, name: 'Grace' };
    const change = decideUpdate(current(), { owner, plan: 'free', quotas: { memory_bytes: 200_000_000 } }, NOT_FORCED);
    expect(change?.details).toEqual({
      fields: ['owner', 'plan', 'quotas'],
      changed: {
        plan: { from: 'starter', to: 'free' },
        'quotas.memory_bytes': { from: 104_857_600, to: 200_000_000 },
      },
    });
    expect(JSON.stringify(change?.details)).not.toContain('Grace');
    expect(change).not.toHaveProperty('context');
  });

  it('hands settings of the cache to instances, replaces all of them, and removes them by null', () => {
    const cache = { eviction_policy: 'none', namespaces: { ns: { default_ttl_seconds: 'never' } } } as const;
    const change = decideUpdate(current(), { cache }, NOT_FORCED);
    const choices = { eviction: 'none', namespaces: { ns: { default_ttl_seconds: null } } } as const;
    expect(change).toMatchObject({ tenant: { cache }, details: { fields: ['cache'], changed: {} } });
    expect(change?.context).toEqual({ ...EMPTY_CONTEXT, cache: choices });
    const has = current({
      stored: { rev: 2, op: 'o', tenant: { ...TENANT, cache } },
      context: { ...EMPTY_CONTEXT, cache: choices },
    });
    expect(decideUpdate(has, { cache }, NOT_FORCED)).toBeNull();
    expect(decideUpdate(has, { name: 'B' }, NOT_FORCED)).not.toHaveProperty('context');
    const other = decideUpdate(has, { cache: { eviction_policy: 'lru' } }, NOT_FORCED);
    expect(other).toMatchObject({
      tenant: { cache: { eviction_policy: 'lru' } },
      context: { cache: { eviction: 'lru' } },
    });
    expect(other?.context?.cache).not.toHaveProperty('namespaces');
    const none = decideUpdate(has, { cache: null }, NOT_FORCED);
    expect(none?.tenant).not.toHaveProperty('cache');
    expect(none?.context).toEqual(EMPTY_CONTEXT);
  });

  it('hands settings of sessions to instances beside those of the cache, and removes each by its own null', () => {
    const cache = { eviction_policy: 'none' } as const;
    const sessions = { timeout_seconds: 60, max_hot_bytes: 65_536 };
    const context = { ...EMPTY_CONTEXT, keys: [KEY], cache: { eviction: 'none' }, sessions } as const;
    const change = decideUpdate(current(), { sessions }, NOT_FORCED);
    expect(change).toMatchObject({ tenant: { sessions }, details: { fields: ['sessions'], changed: {} } });
    expect(change?.context).toEqual({ ...EMPTY_CONTEXT, sessions });
    const has = current({ stored: { rev: 2, op: 'o', tenant: { ...TENANT, cache, sessions } }, context });
    expect(decideUpdate(has, { sessions: { max_hot_bytes: 65_536, timeout_seconds: 60 } }, NOT_FORCED)).toBeNull();
    expect(decideUpdate(has, { name: 'B' }, NOT_FORCED)).not.toHaveProperty('context');
    const other = decideUpdate(has, { sessions: { spill_threshold_ratio: 0.5 } }, NOT_FORCED);
    expect(other?.tenant).toMatchObject({ cache, sessions: { spill_threshold_ratio: 0.5 } });
    expect(other?.context).toEqual({ ...context, sessions: { spill_threshold_ratio: 0.5 } });
    const none = decideUpdate(has, { sessions: null }, NOT_FORCED);
    expect(none?.tenant).not.toHaveProperty('sessions');
    expect(none?.context).toEqual({ ...context, sessions: {} });
    const bare = decideUpdate(has, { cache: null }, NOT_FORCED);
    expect(bare?.tenant).toMatchObject({ sessions });
    expect(bare?.context).toEqual({ ...context, cache: {} });
  });

  it('is none when all is so already, whatever the order of fields', () => {
    const settings = Object.fromEntries(Object.entries(TENANT.settings).reverse());
    expect(decideUpdate(current(), { settings, rate_limit: { burst: 5 } }, NOT_FORCED)).toBeNull();
    expect(decideUpdate(current(), {}, NOT_FORCED)).toBeNull();
  });

  it('turns encryption on with the first key, off without losing it, and on again with the newest', () => {
    expect(needsKey(current(), { encryption: true })).toBe(true);
    const on = decideUpdate(current(), { encryption: true }, { ...NOT_FORCED, firstKey: KEY });
    expect(on?.context).toEqual({ ...EMPTY_CONTEXT, keys: [KEY], data_key: 3 });
    const encrypted = current({
      stored: { rev: 2, op: 'o', tenant: { ...TENANT, encryption: true } },
      context: { ...EMPTY_CONTEXT, keys: [KEY, { ...KEY, version: 4 }], data_key: 4 },
    });
    const off = decideUpdate(encrypted, { encryption: false }, NOT_FORCED);
    expect(off?.context).toEqual({ ...encrypted.context, data_key: 0 });
    const again = current({ context: { ...encrypted.context, data_key: 0 } });
    expect(needsKey(again, { encryption: true })).toBe(false);
    expect(decideUpdate(again, { encryption: true }, NOT_FORCED)?.context).toEqual(encrypted.context);
  });

  it('never lowers memory or storage below what is in use unasked, and never refuses to raise it', () => {
    const amount = fc.nat(1_000);
    fc.assert(
      fc.property(
        amount,
        amount,
        amount,
        fc.constantFrom('memory_bytes', 'storage_bytes'),
        (used, old, wanted, name) => {
          const tenant = { ...TENANT, quotas: { ...TENANT.quotas, [name]: old } };
          const counters = { ...unpackCounters(NO_COUNTERS), memoryBytes: used, storageBytes: used };
          const at = current({ stored: { rev: 1, op: 'o', tenant }, counters });
          const decide = (force: boolean) => decideUpdate(at, { quotas: { [name]: wanted } }, { force, nowMs: NOW });
          if (wanted < old && wanted < used) expect(() => decide(false)).toThrow(/uses more/);
          else expect(decide(false)?.tenant.quotas[name] ?? wanted).toBe(wanted);
          expect(decide(true)?.tenant.quotas[name] ?? wanted).toBe(wanted);
        },
      ),
    );
  });
});

describe('the life of a tenant [A5 T1]', () => {
  const times = { nowMs: NOW, undoWindowMs: 7 * DAY, eraseAtMs: null };

  it('goes from active to suspended and back, and stays where it is', () => {
    const suspended = suspend(TENANT, NOW)?.tenant as typeof TENANT;
    expect(suspended.status).toBe('suspended');
    expect(suspend(suspended, NOW)).toBeNull();
    expect(resume(suspended, NOW)?.tenant).toEqual(TENANT);
    expect(resume(TENANT, NOW)).toBeNull();
  });

  it.each(['active', 'suspended'] as const)('is deleted and undeleted: %s as before', (status) => {
    const gone = remove({ ...TENANT, status }, times)?.tenant as typeof TENANT;
    expect(gone).toMatchObject({
      status: 'deleted',
      deleted_at: '2026-12-01T00:00:00.000Z',
      erase_at: '2026-12-08T00:00:00.000Z',
    });
    expect(undelete(gone, NOW + 7 * DAY - 1).tenant).toEqual({ ...TENANT, status });
    expect(() => undelete(gone, NOW + 7 * DAY)).toThrow(/over/);
    expect(() => undelete({ ...gone, erasing_since: gone.erase_at as string }, NOW)).toThrow(/over/);
    for (const change of [suspend, resume]) {
      expect(() => change(gone, NOW)).toThrow(/undelete/);
      expect(() => change(gone, NOW + 7 * DAY)).toThrow(/over/);
    }
  });

  it('is erased at the soonest of the times it was deleted with', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(7 * DAY), { minLength: 1 }), (waits) => {
        let tenant = TENANT as typeof TENANT & { erase_at?: string };
        for (const wait of waits)
          tenant = (remove(tenant, { ...times, eraseAtMs: NOW + wait })?.tenant ?? tenant) as typeof tenant;
        expect(Date.parse(tenant.erase_at ?? '')).toBe(NOW + Math.min(...waits));
      }),
    );
  });
});

describe('limits in the gate [T5]', () => {
  it('have the burst that was asked for, else a tenth of the rate', () => {
    const { quotas } = TENANT;
    expect(limitsOf(TENANT)).toBe('60000,5,104857600,1073741824,10737418240');
    expect(limitsOf({ quotas })).toBe('60000,6000,104857600,1073741824,10737418240');
  });

  it('of routes become those that are wanted, and others are left alone', () => {
    const before = { routes: { a: { operations_per_minute: 60 }, b: { operations_per_minute: 5 } } };
    const after = {
      routes: { a: { operations_per_minute: 60, burst: 6 }, c: { operations_per_minute: 10, burst: 2 } },
    };
    expect(changeRouteLimits(before, after)).toEqual([
      { kind: 'del', name: 'l:b' },
      { kind: 'limit', name: 'l:c', value: '10,2' },
    ]);
    expect(changeRouteLimits(undefined, undefined)).toEqual([]);
  });
});

describe('a stored record [T1]', () => {
  it('comes back as it was, with its revision and what made it', () => {
    const stored = { rev: 12, op: '01k9', tenant: TENANT };
    expect(unpackRecord(packRecord(stored))).toEqual(stored);
    expect(etagOf(12)).toBe('"12"');
  });

  it('of the first format is revision 0', () => {
    expect(unpackRecord(JSON.stringify(golden.tenant))).toEqual({ rev: 0, op: '', tenant: golden.tenant });
  });

  it.each(['', 't1,1,x\n{}', 't2,1\n{}', 't2,x,y\n{}', '[]'])('is not %j', (text) => {
    expect(() => unpackRecord(text)).toThrow(RangeError);
  });

  it('is searched by name and owner, and by nothing else', () => {
    const text = searchText(TENANT);
    expect(text).toBe('golden ž\no-1\nada\nada@acme.test\nacme');
  });
});
