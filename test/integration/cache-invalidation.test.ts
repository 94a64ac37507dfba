/** Invalidation by keys, prefix, glob, tags, namespace and all, and the reclaim of what it hid. */
import { hash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { Invalidate } from '../../lib/cache/invalidation/invalidation-run.ts';
import { createReclaim } from '../../lib/cache/invalidation/reclaim.ts';
import type { Selector } from '../../lib/cache/invalidation/selector.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { newTenant, type TestTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { gateState } from '../support/gate-state.ts';
import { keysOf } from '../support/tenant-state.ts';

const value = Buffer.from('a value');

describe.each(TRANSPORTS)('invalidation over %s [C8]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });

  const put = (caller: Caller, key: string, more: { namespace?: string; tags?: string[]; ttlMs?: number } = {}) =>
    app.cache.set(
      caller,
      { namespace: more.namespace ?? 'ns', key },
      {
        value,
        meta: { content_type: 'text/plain', ...(more.tags === undefined ? {} : { tags: more.tags }) },
        ttlMs: more.ttlMs ?? null,
      },
    );
  const has = async (caller: Caller, key: string, namespace = 'ns') =>
    (await app.cache.get(caller, { namespace, key })) !== null;
  const ask = async (caller: Caller, selector: Selector, more: Partial<Invalidate> = {}) => {
    const outcome = await app.invalidation.invalidate(caller, { selector, dry: false, ...more });
    return outcome.kind === 'done' ? outcome.data : { job: outcome.job };
  };
  const dry = (caller: Caller, selector: Selector) => ask(caller, selector, { dry: true });
  /** As the cleaning does, without waiting for leases. */
  const settle = async ({ tenant }: TestTenant) => {
    const reclaim = createReclaim({ redis: app.redis, keys: keysOf(app), settleAfterMs: 0 });
    await reclaim.run({ id: tenant.id as never, generation: 1 });
    return gateState(app, tenant.id as never).read('v');
  };

  it('of keys: those that are named, whatever their characters, and counts what a read would have found', async () => {
    const { tenant, caller } = await newTenant(app);
    const odd = ['a', 'b\0c', '100%', 'é/ü', '\u{10ffff}'];
    for (const key of odd) await put(caller, key);
    await put(caller, 'stays');
    const keys = [...odd, 'never was'];
    expect(await dry(caller, { by: 'keys', namespace: 'ns', keys })).toEqual({ would_invalidate: 5, exact: true });
    expect(await ask(caller, { by: 'keys', namespace: 'ns', keys })).toEqual({ invalidated: 5, exact: true });
    expect(await ask(caller, { by: 'keys', namespace: 'ns', keys })).toEqual({ invalidated: 0, exact: true });
    expect(await has(caller, 'stays')).toBe(true);
    expect(await auditTenant(app, tenant.id as never)).toBe(1);
  });

  it('of a prefix: keys that begin with it and no others', async () => {
    const { tenant, caller } = await newTenant(app);
    for (const key of ['en/a', 'en/b', 'en', 'em/a', 'eo', 'en/\u{10ffff}', 'en/é']) await put(caller, key);
    await put(caller, 'en/a', { namespace: 'nsx' });
    await put(caller, 'en/a', { namespace: 'n' });
    const selector = { by: 'prefix', namespace: 'ns', prefix: 'en/' } as const;
    expect(await dry(caller, selector)).toEqual({ would_invalidate: 4, exact: true });
    expect(await ask(caller, selector)).toEqual({ invalidated: 4, exact: true });
    expect(await has(caller, 'en')).toBe(true);
    expect(await has(caller, 'en/a', 'nsx')).toBe(true);
    expect(await auditTenant(app, tenant.id as never)).toBe(5);
  });

  it('of a prefix with characters that the index escapes', async () => {
    const { caller } = await newTenant(app);
    for (const key of ['50%/a', '50%b', '50\n', '505']) await put(caller, key);
    expect(await ask(caller, { by: 'prefix', namespace: 'ns', prefix: '50%' })).toMatchObject({ invalidated: 2 });
    expect(await has(caller, '50\n')).toBe(true);
  });

  it('of a glob with a literal prefix: at once; without one: as a job', async () => {
    const { tenant, caller } = await newTenant(app);
    for (const key of ['en/1.html', 'en/2.css', 'de/1.html', 'en/[x]']) await put(caller, key);
    expect(await ask(caller, { by: 'glob', namespace: 'ns', glob: 'en/*.html' })).toEqual({
      invalidated: 1,
      exact: true,
    });
    const counting = await dry(caller, { by: 'glob', namespace: 'ns', glob: '*[1-9].*' });
    expect(counting).toMatchObject({ job: { status: 'done', result: { would_invalidate: 2, exact: true } } });
    const started = await ask(caller, { by: 'glob', namespace: 'ns', glob: '*[1-9].*' });
    expect(started).toMatchObject({
      job: {
        status: 'done',
        tenantId: tenant.id,
        result: { invalidated: 2, exact: true },
        progress: { done: 3, total: 3 },
      },
    });
    expect(await has(caller, 'en/[x]')).toBe(true);
    expect(await auditTenant(app, tenant.id as never)).toBe(1);
  });

  it('of tags, in every namespace, and of what is written later nothing', async () => {
    const tenant = await newTenant(app);
    const { caller } = tenant;
    await put(caller, 'a', { tags: ['red'] });
    await put(caller, 'b', { tags: ['red', 'blue'], namespace: 'other' });
    await put(caller, 'c', { tags: ['green'] });
    const selector = { by: 'tags', tags: ['red', 'blue'] } as const;
    expect(await dry(caller, selector)).toEqual({
      would_invalidate: null,
      exact: true,
      items: [
        { tag: 'red', would_invalidate: 2 },
        { tag: 'blue', would_invalidate: 1 },
      ],
    });
    expect(await ask(caller, selector)).toMatchObject({ invalidated: null, exact: true });
    expect(await has(caller, 'a')).toBe(false);
    expect(await has(caller, 'b', 'other')).toBe(false);
    expect(await has(caller, 'c')).toBe(true);
    await put(caller, 'a', { tags: ['red'] });
    expect(await has(caller, 'a')).toBe(true);
    expect(await settle(tenant)).toBeNull();
    expect(await has(caller, 'a')).toBe(true);
    expect(await auditTenant(app, tenant.tenant.id as never)).toBe(2);
  });

  it('of a namespace and of all, and reclaims every byte of it', async () => {
    const tenant = await newTenant(app);
    const { caller } = tenant;
    for (let i = 0; i < 30; i++) await put(caller, `k${i}`, { namespace: i % 2 === 0 ? 'even' : 'odd' });
    expect(await ask(caller, { by: 'namespace', namespace: 'even' })).toEqual({ invalidated: 15, exact: true });
    expect(await has(caller, 'k0', 'even')).toBe(false);
    expect(await has(caller, 'k1', 'odd')).toBe(true);
    expect(await dry(caller, { by: 'all' })).toEqual({ would_invalidate: 15, exact: true });
    expect(await ask(caller, { by: 'all' })).toMatchObject({ invalidated: 15 });
    expect(await has(caller, 'k1', 'odd')).toBe(false);
    expect(await settle(tenant)).toBeNull();
    expect(await auditTenant(app, tenant.tenant.id as never)).toBe(0);
    expect(await app.redis.send(['EXISTS', keysOf(app).invalidated(tenant.tenant.id as never)], { kind: 'read' })).toBe(
      0,
    );
  });

  it('keeps an epoch as long as a load may run that began before', async () => {
    const { tenant, caller } = await newTenant(app);
    await put(caller, 'a', { tags: ['red'] });
    await ask(caller, { by: 'tags', tags: ['red'] });
    await ask(caller, { by: 'prefix', namespace: 'ns', prefix: 'a' });
    await ask(caller, { by: 'all' });
    const reclaim = createReclaim({ redis: app.redis, keys: keysOf(app) });
    await reclaim.run({ id: tenant.id as never, generation: 1 });
    expect(await gateState(app, tenant.id as never).read('v')).toMatch(/^v1,\d+,1,1,/);
    expect(await auditTenant(app, tenant.id as never)).toBe(0);
    expect(await dry(caller, { by: 'all' })).toEqual({ would_invalidate: 0, exact: true });
  });

  it('counts exactly in a dry run while entries have expired and others are hidden', async () => {
    const tenant = await newTenant(app);
    const { caller } = tenant;
    await put(caller, 'soon', { ttlMs: 1 });
    await put(caller, 'gone', { tags: ['red'] });
    await put(caller, 'here', { tags: ['blue'] });
    await ask(caller, { by: 'tags', tags: ['red'] });
    await expect.poll(() => has(caller, 'soon')).toBe(false);
    await put(caller, 'soon', { ttlMs: 1 });
    await expect
      .poll(() => dry(caller, { by: 'namespace', namespace: 'ns' }))
      .toEqual({ would_invalidate: 1, exact: true });
    expect(await dry(caller, { by: 'prefix', namespace: 'ns', prefix: 's' })).toEqual({
      would_invalidate: 0,
      exact: true,
    });
  });

  it('of 8,001 keys, with as many calls as it takes', async () => {
    const { tenant, caller } = await newTenant(app);
    for (const key of ['k0', 'k4000', 'k8000']) await put(caller, key);
    const keys = Array.from({ length: 8_001 }, (_, i) => `k${i}`);
    expect(await ask(caller, { by: 'keys', namespace: 'ns', keys })).toEqual({ invalidated: 3, exact: true });
    expect(await auditTenant(app, tenant.id as never)).toBe(0);
  });

  it('leaves what was written while a prefix is gone through', async () => {
    const { tenant, caller } = await newTenant(app);
    for (let i = 0; i < 20; i++) await put(caller, `p${i}`);
    const writes = Array.from({ length: 20 }, (_, i) => `q${i}`);
    const [result] = await Promise.all([
      ask(caller, { by: 'prefix', namespace: 'ns', prefix: 'p' }),
      ...writes.map((key) => put(caller, key)),
    ]);
    expect(result).toEqual({ invalidated: 20, exact: true });
    // What is written after the answer is there, whatever it was before.
    await put(caller, 'p3');
    expect(await has(caller, 'p3')).toBe(true);
    expect(await auditTenant(app, tenant.id as never)).toBe(21);
  });

  it.each([
    ['red', 'text/plain'],
    ['a]"\\', `text/plain; a="]\\\\${'x'.repeat(230)}`],
  ])('reclaims entries of the first format, which the index does not list by tag: %s', async (tag, type) => {
    const tenant = await newTenant(app);
    const { caller } = tenant;
    const id = tenant.tenant.id as never;
    await put(caller, 'old', { tags: [tag] });
    await asFirstFormat(app, id, 'old', { tag, type });
    expect(await has(caller, 'old')).toBe(true);
    expect(await dry(caller, { by: 'tags', tags: [tag] })).toMatchObject({ exact: false });
    await ask(caller, { by: 'tags', tags: [tag] });
    expect(await has(caller, 'old')).toBe(false);
    expect(await settle(tenant)).toBeNull();
    expect(await has(caller, 'old')).toBe(false);
    expect(await auditTenant(app, id)).toBe(0);
  });

  it('is one operation, whatever it selects', async () => {
    const { tenant, caller } = await newTenant(app);
    await put(caller, 'a');
    const before = (await gateState(app, tenant.id as never).meter()).ops;
    await ask(caller, { by: 'keys', namespace: 'ns', keys: ['a', 'b'] });
    await ask(caller, { by: 'prefix', namespace: 'ns', prefix: 'a' });
    await ask(caller, { by: 'all' });
    await dry(caller, { by: 'all' });
    expect((await gateState(app, tenant.id as never).meter()).ops - before).toBe(4n);
  });
});

/** Makes an entry one of format c1, as a version before this one would have stored it. */
async function asFirstFormat(app: App, id: never, key: string, { tag, type }: { tag: string; type: string }) {
  const keys = keysOf(app);
  const entry = keys.cacheEntry(id, 1, { namespace: 'ns', key });
  const text = String(await app.redis.send(['GET', entry], { kind: 'read' }));
  const [line = ''] = text.split('\n', 1);
  const [, , access, expires, , raw, seq, , updated, , , , , op] = line.split(',');
  const meta = JSON.stringify({
    content_type: type,
    source: 's'.repeat(256),
    version: 'v'.repeat(128),
    tags: [tag, 'other'],
  });
  const body = `${meta}${value}`;
  const digest = hash('sha256', `text,${raw},${body}`, 'base64url').slice(0, 22);
  const head = (charged: string) =>
    `,${meta.length},${Number(expires)},${updated},${seq},${charged},${raw},${digest},${op},text\n`;
  const length = entry.length + 'c1,12345678'.length + head('0000000000').length + body.length + 200;
  const rest = head(String(length).padStart(10, '0'));
  const check = hash('sha1', rest + meta, 'hex').slice(0, 8);
  await app.redis.send(['SET', entry, `c1,${check}${rest}${body}`], { kind: 'write' });
  const index = keys.index(id, 1);
  await app.redis.send(['ZREM', index, `a\0${access}\0c\0ns\0${key}`, `t\0${tag}\0c\0ns\0${key}`], { kind: 'write' });
  const gate = gateState(app, id);
  const delta = BigInt(length) - BigInt(entry.length + Buffer.byteLength(text) + 200);
  await gate.setMeter({ memory: (await gate.meter()).memory + delta });
}
