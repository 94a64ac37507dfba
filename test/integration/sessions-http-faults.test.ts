/** Sessions over HTTP while S3 fails, their memory is small, and they are as large as they may be. */
import { beforeAll, describe, expect, it } from 'vitest';
import { newTenant } from '../support/app.ts';
import { type Door, openDoor } from '../support/door.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { expectProblem } from '../support/problem.ts';
import { servers } from '../support/servers.ts';
import { auditSessions } from '../support/session-audit.ts';
import { jsonOf, sessionDoor } from '../support/session-door.ts';
import { sessionObjects, spillAll } from '../support/spill-tools.ts';

const MIB = 1024 * 1024;
const BUDGET_BYTES = 16 * MIB;

let door: Door;
let s3: FaultProxy;
beforeAll(async () => {
  s3 = await startFaultProxy({ targetPort: Number(new URL(servers().s3.url).port) });
  door = await openDoor({
    PERSISTENCE_BLOBS_ENDPOINT: `http://127.0.0.1:${s3.port}`,
    PERSISTENCE_SPILLOVER_MAX_MEMORY_BYTES: String(BUDGET_BYTES),
    PERSISTENCE_STATE_SESSION_MAX_BYTES: String(4 * MIB),
  });
  return () => s3.stop();
});

/** A tenant of its own, with a session in S3. */
async function withColdSession() {
  const tenant = await newTenant(door.app);
  const sessions = sessionDoor(door, tenant.key);
  const { id } = await sessions.made('{"user_id":"ada","data":{"n":0.10}}');
  await spillAll(door.app, tenant.tenant.id);
  const [object = ''] = await sessionObjects(door.app, tenant.tenant.id);
  return { tenant, sessions, id, object };
}

describe('a session in S3 [P5 A14]', () => {
  it('whose object is gone is 410, whose object is damaged is 500, and both can be ended', async () => {
    const lost = await withColdSession();
    await door.app.blobs.delete([lost.object]);
    const damaged = await withColdSession();
    await door.app.blobs.put({ key: damaged.object, body: Buffer.from('damaged') });
    for (const [{ sessions, id, tenant }, code] of [
      [lost, '410 session_lost'],
      [damaged, '500 session_corrupt'],
    ] as const) {
      expectProblem(await sessions.get(id), code);
      expectProblem(await sessions.get(id, { 'if-none-match': '*' }), code);
      expectProblem(await sessions.put(id, 'a', '1'), code);
      expect(jsonOf<{ items: unknown[] }>(await sessions.list('user_id=ada')).items).toHaveLength(1);
      expect((await sessions.end(id)).status).toBe(204);
      expectProblem(await sessions.get(id), '404 session_not_found');
      await auditSessions(door.app, tenant.tenant.id);
    }
  });

  it('is 503 while S3 does not answer, never 404, and is there again afterwards', async () => {
    const { sessions, id } = await withColdSession();
    await s3.refuse();
    try {
      expectProblem(await sessions.get(id), '503 blob_store_unavailable');
      expectProblem(await sessions.update(id, '{"set":{"a":1}}'), '503 blob_store_unavailable');
      expect((await sessions.touch(id)).status).toBe(200);
      expect((await sessions.made('{}')).version).toBe(1);
    } finally {
      await s3.accept();
    }
    await expect.poll(async () => (await sessions.get(id)).status, { timeout: 10_000 }).toBe(200);
    expect(String((await sessions.get(id)).body)).toContain('"data":{"n":0.10}');
  });
});

describe('a session of 4 MiB [S2 A14]', () => {
  it('fits into one reply, whatever is in it', async () => {
    const tenant = await newTenant(door.app);
    const sessions = sessionDoor(door, tenant.key);
    // What JSON or Lambda writes longer than it is: escapes in names, in texts, in metadata.
    const names = Array.from({ length: 510 }, (_, i) => `${'"'.repeat(251)}${String(i).padStart(5, '0')}`);
    const attributes = Object.fromEntries(
      names.slice(0, 32).map((name) => [name.replace('"', '\u0001'), '\u0001'.repeat(256)]),
    );
    const { id } = await sessions.made(JSON.stringify({ metadata: { user_agent: '\u0001'.repeat(512), attributes } }));
    const named = JSON.stringify({ set: Object.fromEntries(names.map((name) => [name, ''])) });
    expect((await sessions.update(id, named)).status).toBe(200);
    const left = 4 * MIB - names.length * (256 + 2);
    // In two halves: the event of a request has escapes of its own.
    const text = `"${'\\"'.repeat(Math.floor((left / 2 - 'a'.length - 2) / 2))}"`;
    for (const half of ['a', 'b']) expect((await sessions.put(id, half, text)).status).toBe(200);
    const reply = await sessions.get(id);
    expect(reply.status).toBe(200);
    expect(reply.body.length).toBeGreaterThan(4 * MIB);
    expect(jsonOf(reply).data).toMatchObject({ b: JSON.parse(text), [names[0] as string]: '' });
    expectProblem(await sessions.put(id, encodeURIComponent(names[0] as string), '"12345"'), '413 body_too_large');
    await sessions.end(id);
  });
});

// Last: the memory it fills is given back by a schedule only.
describe('the memory of sessions [P2 A14]', () => {
  it('that is full while S3 does not answer is 507 with Retry-After; what is there can be read, changed and ended', async () => {
    const tenant = await newTenant(door.app, { quotas: { memory_bytes: 200 * MIB, operations_per_minute: 1_000_000 } });
    const sessions = sessionDoor(door, tenant.key);
    const body = JSON.stringify({ user_id: 'full', data: { text: 'x'.repeat(2 * MIB) } });
    await s3.refuse();
    try {
      let last = await sessions.create(body);
      const ids: string[] = [];
      for (; last.status === 201; last = await sessions.create(body)) ids.push(jsonOf(last).id);
      expect(ids.length).toBeGreaterThan(2);
      const { details } = expectProblem(last, '507 session_memory_full');
      expect(last.headers['retry-after']).toMatch(/^[1-9]\d*$/);
      expect(details).toMatchObject({ needed: expect.any(Number), limit: expect.any(Number) });
      const [first = ''] = ids;
      expect((await sessions.get(first)).status).toBe(200);
      expect((await sessions.put(first, 'text', '"short"')).status).toBe(200);
      expect((await sessions.end(ids[1] as string)).status).toBe(204);
      expect((await sessions.create(body)).status).toBe(201);
    } finally {
      await s3.accept();
    }
    await expect.poll(async () => (await sessions.create(body)).status, { timeout: 20_000 }).toBe(201);
    await auditSessions(door.app, tenant.tenant.id);
    await sessions.endAll('user_id=full');
  });
});
