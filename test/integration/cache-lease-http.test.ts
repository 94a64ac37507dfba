/** Loading through the cache from the caller's side, over HTTP: leases, stale values, known absences. */
import { beforeAll, describe, expect, it } from 'vitest';
import { newTenant } from '../support/app.ts';
import { type Door, type DoorRequest, openDoor } from '../support/door.ts';
import { readProblem } from '../support/problem.ts';

const ENTRY = '/cache/ns/a/b';
const text = { 'content-type': 'text/plain' };
let door: Door;
beforeAll(async () => {
  door = await openDoor();
});

async function clientOf(changes: object = {}) {
  const { key, caller } = await newTenant(door.app, changes);
  const call = (request: Omit<DoorRequest, 'key' | 'target'> & { readonly query?: string }) =>
    door.call({ ...request, target: `${ENTRY}${request.query ?? ''}`, key });
  const get = (query = '', headers = {}) => call({ query, headers });
  const put = (body: string, { query = '', headers = {} } = {}) =>
    call({ method: 'PUT', query, headers: { ...text, ...headers }, body });
  /** An entry in its grace. */
  const putStale = async (body: string) => {
    const name = { namespace: 'ns', key: 'a/b' };
    await door.app.cache.set(caller, name, {
      value: Buffer.from(body),
      meta: { content_type: 'text/plain' },
      ttlMs: 1,
      graceMs: 60_000,
    });
    await expect.poll(async () => (await get()).status, { timeout: 5_000 }).toBe(404);
  };
  return { call, get, put, putStale };
}

describe('leases over HTTP [C7]', () => {
  it('go to one of all who miss: only its holder stores, and only once', async () => {
    const { get, put } = await clientOf();
    const [first, second] = [await get('?lease_ms=5000'), await get('?lease_ms=5000')];
    for (const reply of [first, second]) expect(readProblem(reply).code).toBe('entry_not_found');
    const token = first.headers['riptide-lease'] ?? '';
    expect(token).toMatch(/^\d+-[0-9a-f]{24}$/);
    expect(first.headers).not.toHaveProperty('riptide-lease-held');
    expect(second.headers).toMatchObject({ 'riptide-lease-held': 'true', 'retry-after': '5' });
    expect(second.headers).not.toHaveProperty('riptide-lease');
    const other = await put('other', { headers: { 'riptide-lease': `${token.slice(0, -1)}x`.replace(/x$/, '') } });
    expect(other.status).toBe(400);
    const forged = token.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    expect(readProblem(await put('forged', { headers: { 'riptide-lease': forged } })).code).toBe('lease_lost');
    expect((await put('mine', { headers: { 'riptide-lease': token } })).status).toBe(201);
    expect(readProblem(await put('again', { headers: { 'riptide-lease': token } })).code).toBe('lease_lost');
    const hit = await get('?lease_ms=5000');
    expect([hit.status, hit.body.toString(), hit.headers['riptide-lease']]).toEqual([200, 'mine', undefined]);
  });

  it('end with a removal, and are given back without storing', async () => {
    const { call, get, put } = await clientOf();
    const lease = async () => (await get('?lease_ms=60000')).headers['riptide-lease'];
    const lost = (await lease()) ?? '';
    expect((await call({ method: 'DELETE' })).status).toBe(204);
    expect(readProblem(await put('late', { headers: { 'riptide-lease': lost } })).code).toBe('lease_lost');
    const mine = (await lease()) ?? '';
    expect(await lease()).toBeUndefined();
    const giveBack = { method: 'DELETE', headers: { 'riptide-lease': mine } };
    expect(readProblem(await call({ ...giveBack, query: '?dry_run=true' })).code).toBe('invalid_request');
    expect((await call(giveBack)).status).toBe(204);
    expect((await call(giveBack)).status).toBe(204);
    const next = (await lease()) ?? '';
    expect((await call(giveBack)).status).toBe(204);
    expect((await put('v', { headers: { 'riptide-lease': next } })).status).toBe(201);
  });

  it.each(['0', '-1', '60001', '1.5', 'x', ''])('do not last %s ms', async (ms) => {
    const { get } = await clientOf();
    expect(readProblem(await get(`?lease_ms=${ms}`)).code).toBe('invalid_request');
  });
});

describe('stale values over HTTP [C9]', () => {
  it('are served to who asks for them, labelled, with the lease to load a new one', async () => {
    const { get, put, call, putStale } = await clientOf();
    await putStale('old');
    expect(readProblem(await get()).code).toBe('entry_not_found');
    const stale = await get('?stale=allow');
    expect([stale.status, stale.body.toString()]).toEqual([200, 'old']);
    expect(stale.headers).toMatchObject({ 'riptide-stale': 'true', 'riptide-fresh-until': expect.any(String) });
    const { headers } = await call({ method: 'HEAD', query: '?stale=allow' });
    expect(headers).toMatchObject({ 'riptide-stale': 'true', etag: stale.headers.etag });
    const leased = await get('?stale=allow&lease_ms=5000', { 'if-none-match': stale.headers.etag });
    expect([leased.status, leased.headers['riptide-stale']]).toEqual([304, 'true']);
    const token = leased.headers['riptide-lease'] ?? '';
    const busy = await get('?stale=allow&lease_ms=5000');
    expect([busy.status, busy.headers['riptide-lease-held']]).toEqual([200, 'true']);
    expect(readProblem(await get('?lease_ms=5000')).code).toBe('entry_not_found');
    expect((await put('new', { headers: { 'riptide-lease': token } })).status).toBe(201);
    const fresh = await get('?stale=allow&lease_ms=5000');
    expect([fresh.body.toString(), fresh.headers['riptide-stale']]).toEqual(['new', undefined]);
  });

  it('are kept for as long as the write says', async () => {
    const { put, get } = await clientOf();
    const reply = await put('v', { query: '?ttl_seconds=10&grace_seconds=50' });
    const { fresh_until, expires_at, updated_at } = JSON.parse(reply.body.toString());
    const since = (at: string) => Date.parse(at) - Date.parse(updated_at);
    expect([since(fresh_until), since(expires_at)]).toEqual([10_000, 60_000]);
    expect((await get()).headers).toMatchObject({
      'riptide-fresh-until': fresh_until,
      'riptide-expires-at': expires_at,
    });
    expect(readProblem(await put('v', { query: '?grace_seconds=31536001' })).code).toBe('invalid_request');
    expect(readProblem(await get('?stale=yes')).code).toBe('invalid_request');
  });

  it('are no known absences: those are a miss that nobody is to load', async () => {
    const { put, get } = await clientOf();
    expect(readProblem(await put('x', { query: '?negative=true' })).code).toBe('invalid_request');
    expect((await put('', { query: '?negative=true&ttl_seconds=60' })).status).toBe(201);
    const miss = await get('?lease_ms=5000');
    expect(readProblem(miss).code).toBe('entry_not_found');
    expect(miss.headers).toMatchObject({ 'riptide-known-absent': 'true' });
    expect(miss.headers).not.toHaveProperty('riptide-lease');
    expect(readProblem(await get()).code).toBe('entry_not_found');
    expect((await put('v')).status).toBe(201);
    expect((await get()).status).toBe(200);
  });
});

describe('copies in instances over HTTP [C7]', () => {
  it('answer without the gate only where the tenant allows it, and say no limits then', async () => {
    const { put, get } = await clientOf({ cache: { namespaces: { ns: { max_stale_ms: 60_000 } } } });
    await put('v');
    const [asked, copied] = [await get(), await get()];
    expect([asked.status, copied.status, copied.body.toString()]).toEqual([200, 200, 'v']);
    expect(asked.headers.ratelimit).toContain('"burst"');
    expect(copied.headers).not.toHaveProperty('ratelimit');
    expect(copied.headers.etag).toBe(asked.headers.etag);
  });
});
