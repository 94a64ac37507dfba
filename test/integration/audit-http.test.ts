/** GET /admin/audit as an administrator meets it. */
import { beforeAll, describe, expect, it } from 'vitest';
import { packSealed, type SealedEntry } from '../../lib/audit/chain.ts';
import { AuditResponse } from '../../lib/audit/contract.ts';
import { verify } from '../../lib/audit/verify-chain.ts';
import { newUlid } from '../../lib/ids.ts';
import { ADMIN_KEY } from '../support/app.ts';
import { auditEntry, someTenant } from '../support/audit-entries.ts';
import { ownLogSettings } from '../support/audit-state.ts';
import { type Door, openDoor } from '../support/door.ts';
import { expectProblem } from '../support/problem.ts';
import { keysOf } from '../support/tenant-state.ts';

let door: Door;
const tenant = someTenant();
const entries = Array.from({ length: 5 }, (_, i) => ({
  ...auditEntry(i + 1, i % 2 === 0 ? tenant : null),
  id: newUlid(i),
}));
beforeAll(async () => {
  const { PERSISTENCE_BLOBS_BUCKET = '' } = await ownLogSettings();
  door = await openDoor({ PERSISTENCE_BLOBS_BUCKET });
  for (const entry of entries) await door.app.audit.append(entry);
});

const get = (query = '', headers: Record<string, string> = {}) =>
  door.call({ target: `/admin/audit${query}`, key: ADMIN_KEY, headers });
const page = async (query: string) => {
  const reply = await get(query);
  expect(reply.status).toBe(200);
  return AuditResponse.parse(JSON.parse(reply.body.toString('utf8')));
};

describe('GET /admin/audit [T11]', () => {
  it('gives the newest first, chained, with the head', async () => {
    const { items, next_cursor, head } = await page('');
    expect(items.map(({ id }) => id)).toEqual(entries.map(({ id }) => id).toReversed());
    expect(next_cursor).toBeNull();
    expect(head).toEqual({ seq: 5, hash: items[0]?.hash });
    expect(items[4]).toMatchObject({ ...entries[0], seq: 1, prev: '0'.repeat(64) });
    const lines = items.toReversed().map((item) => packSealed(item as unknown as SealedEntry));
    expect(verify(lines, { head }).ok).toBe(true);
  });

  it('goes on from its cursor', async () => {
    const first = await page('?limit=2&order=asc');
    expect(first).toMatchObject({ items: [{ seq: 1 }, { seq: 2 }], next_cursor: '2' });
    expect(await page(`?limit=3&order=asc&cursor=${first.next_cursor}`)).toMatchObject({
      items: [{ seq: 3 }, { seq: 4 }, { seq: 5 }],
      next_cursor: null,
    });
  });

  it('is filtered by tenant and action', async () => {
    expect((await page(`?tenant_id=${tenant}`)).items.map(({ seq }) => seq)).toEqual([5, 3, 1]);
    expect((await page('?action=tenant.create')).items).toEqual([]);
    expect((await page(`?action=tenant.update&tenant_id=${tenant}&order=asc&limit=1`)).items).toMatchObject([
      { seq: 1 },
    ]);
  });

  it.each([
    ['?format=ndjson', {}],
    ['', { accept: 'application/x-ndjson' }],
    ['', { accept: 'text/html, Application/X-NDJSON;q=0.9' }],
  ])('gives the lines as they were hashed: %j %j', async (query, headers) => {
    const reply = await get(`${query === '' ? '?' : `${query}&`}order=asc`, headers as Record<string, string>);
    expect(reply.headers['content-type']).toBe('application/x-ndjson');
    const text = reply.body.toString('utf8');
    expect(text.endsWith('\n')).toBe(true);
    const [seq, hash = ''] = (reply.headers['riptide-audit-head'] ?? '').split(':');
    expect(verify(text.trimEnd().split('\n'), { head: { hash, seq: Number(seq) } })).toMatchObject({
      ok: true,
      entries: 5,
    });
    expect(reply.headers['riptide-next-cursor']).toBeUndefined();
  });

  it('tells an export where it goes on', async () => {
    const reply = await get('?format=ndjson&order=asc&limit=2');
    expect(reply.headers['riptide-next-cursor']).toBe('2');
    expect(reply.body.toString('utf8').trimEnd().split('\n')).toHaveLength(2);
  });

  it('gives JSON when the query says so, whatever is accepted', async () => {
    const reply = await get('?format=json', { accept: 'application/x-ndjson' });
    expect(reply.headers['content-type']).toBe('application/json');
  });

  it.each([
    'limit=0',
    'limit=1001',
    'limit=-1',
    'limit=1e2',
    'limit=',
    'cursor=x',
    'cursor=0',
    'cursor=-1',
    'cursor=9999999999999999',
    'order=up',
    'tenant_id=x',
    'action=*',
    'action=tenant',
    'format=csv',
    'page=1',
  ])('refuses ?%s and names the field', async (query) => {
    const problem = expectProblem(await get(`?${query}`), '400 invalid_request');
    expect(problem.errors).toHaveLength(1);
    expect(problem.errors?.[0]?.field).toMatch(/^query/);
  });

  it('says that an entry cannot be read, and shows it in lines', async () => {
    const log = keysOf(door.app).auditLog();
    await door.app.redis.send(['ZREMRANGEBYSCORE', log, 5, 5], { kind: 'write' });
    await door.app.redis.send(['ZADD', log, 5, 'x'], { kind: 'write' });
    const problem = expectProblem(await get(), '500 value_corrupt');
    expect(problem.details).toEqual({ seq: 5 });
    expect((await get('?format=ndjson&limit=1')).body.toString('utf8')).toBe('x\n');
    expect((await page('?cursor=5')).items).toHaveLength(4);
  });
});
