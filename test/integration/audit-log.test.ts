/** The audit log on a real Redis: nothing lost, nothing twice, one chain, whoever seals it. */
import { createHash } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { GENESIS, packHead, packSealed, parseSealed, seal } from '../../lib/audit/chain.ts';
import { type AuditEntry, packEntry } from '../../lib/audit/entry.ts';
import { verify } from '../../lib/audit/verify-chain.ts';
import { OutcomeUnknownError, StorageFullError } from '../../lib/errors.ts';
import { newUlid } from '../../lib/ids.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { sealAudit } from '../../lib/redis/bindings/audit-scripts.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { runScript } from '../../lib/redis/script.ts';
import { TRANSPORTS, testApp } from '../support/app.ts';
import { auditEntry, someTenant } from '../support/audit-entries.ts';
import { headIn, linesInRedis, ownLogSettings, pendingIn, verifyWhole } from '../support/audit-state.ts';
import { keysOf } from '../support/tenant-state.ts';

const newEntry = (n = 1, tenantId: AuditEntry['tenant_id'] = null): AuditEntry => ({
  ...auditEntry(n),
  id: newUlid(Date.now()),
  tenant_id: tenantId,
});
const newEntries = (count: number) => Array.from({ length: count }, (_, i) => newEntry(i + 1));
const idsOf = (entries: readonly Pick<AuditEntry, 'id'>[]) => entries.map(({ id }) => id);

describe.each(TRANSPORTS)('the audit log over %s [T11]', (transport) => {
  let app: App;
  let other: App;
  let hook: FailpointHook;
  /** A log of its own for each test, and two instances of the service. */
  beforeEach(async () => {
    telemetry.logger.setLogLevel('SILENT');
    hook = () => {};
    const env = await ownLogSettings();
    app = await testApp({ transport, env, failpoint: (call) => hook(call) });
    other = await testApp({ transport, env });
  });

  const appendAll = async (entries: readonly AuditEntry[]) => {
    for (const entry of entries) await app.audit.append(entry);
  };
  const sealedIds = async () => (await linesInRedis(app)).map((line) => parseSealed(line)?.id);
  const listed = async (request: Partial<Parameters<App['audit']['list']>[0]> = {}) => {
    const page = await app.audit.list({ order: 'desc', limit: 100, ...request });
    return { ...page, ids: page.lines.map(({ entry }) => entry?.id) };
  };

  it('holds each entry once, in one chain, when 100 are appended while others seal', async () => {
    const entries = newEntries(100);
    const sealers = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? app : other));
    await Promise.all([
      ...entries.map((entry, i) => (i % 2 === 0 ? app : other).audit.append(entry)),
      ...sealers.map(({ audit }) => audit.seal()),
    ]);
    await Promise.all(sealers.map(({ audit }) => audit.seal()));
    expect(await pendingIn(app)).toEqual([]);
    expect((await sealedIds()).sort()).toEqual(idsOf(entries).sort());
    const { ok, entries: count, headText, headInRedis } = await verifyWhole(app);
    expect({ ok, count, headText }).toEqual({ ok: true, count: 100, headText: headInRedis });
  });

  it('takes an entry once, however often it is appended, also after it was sealed', async () => {
    const entry = newEntry();
    await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? app : other).audit.append(entry)));
    expect(await pendingIn(app)).toHaveLength(1);
    await app.audit.seal();
    await app.audit.append(entry);
    expect(await pendingIn(app)).toEqual([]);
  });

  it('appends again by itself when the reply was lost', async () => {
    const entry = newEntry();
    let lost = 0;
    hook = ({ name, phase }) => {
      if (name === 'append-audit' && phase === 'after' && lost++ === 0) throw new OutcomeUnknownError('lost');
    };
    await app.audit.append(entry);
    expect(lost).toBe(2);
    expect(await pendingIn(app)).toHaveLength(1);
  });

  it('remembers the last 10,000 ids, and no more', async () => {
    const seen = keysOf(app).auditSeen();
    const ids = Array.from({ length: 10_000 }, (_, i) => [i + 1, `old-${i}`]).flat();
    for (let i = 0; i < ids.length; i += 2_000)
      await app.redis.send(['ZADD', seen, ...ids.slice(i, i + 2_000)], { kind: 'write' });
    await app.audit.append(newEntry());
    expect(await app.redis.send(['ZCARD', seen], { kind: 'read' })).toBe(10_000);
    expect(await app.redis.send(['ZSCORE', seen, 'old-0'], { kind: 'read' })).toBeNull();
    expect(await app.redis.send(['ZSCORE', seen, 'old-1'], { kind: 'read' })).not.toBeNull();
  });

  it('seals in the order of appending, over several batches', async () => {
    const entries = newEntries(250);
    const push = entries.map((entry) => ['RPUSH', keysOf(app).auditPending(), JSON.stringify(entry)] as const);
    await app.redis.sendAll(push, { kind: 'write' });
    expect(await app.audit.seal()).toEqual({ sealed: 250, finished: true });
    expect(await sealedIds()).toEqual(idsOf(entries));
    expect(await app.audit.seal()).toEqual({ sealed: 0, finished: true });
  });

  it('keeps its place in the chain when it is sealed twice from the same head', async () => {
    await appendAll(newEntries(2));
    let raced = false;
    hook = async ({ name, phase }) => {
      if (name !== 'seal-audit' || phase !== 'before' || raced) return;
      raced = true;
      await other.audit.seal();
    };
    expect(await app.audit.seal()).toEqual({ sealed: 0, finished: true });
    expect(raced).toBe(true);
    expect(await verifyWhole(app)).toMatchObject({ ok: true, entries: 2 });
  });

  it('never seals behind a head that is not the last, even where the pending entries are the same', async () => {
    const keys = keysOf(app);
    const entry = newEntry();
    const text = packEntry(entry);
    const { sealed, head } = seal([entry], GENESIS);
    const late = {
      keys: { pending: keys.auditPending(), log: keys.auditLog(), head: keys.auditHead() },
      args: {
        oldHead: '',
        newHead: packHead(head),
        taken: 1,
        digest: createHash('sha1').update(`${text}\n`).digest('hex'),
        firstSeq: 1,
        sealed: sealed.map(packSealed),
      },
      kind: 'write',
    } as const;
    await appendAll([newEntry(), newEntry()]);
    await app.audit.seal();
    await app.redis.send(['RPUSH', keys.auditPending(), text], { kind: 'write' });
    expect(await runScript(app.redis, sealAudit, late)).toBe(false);
    expect(await pendingIn(app)).toEqual([text]);
    expect(await linesInRedis(app)).toHaveLength(2);
  });

  it('seals nothing once time is up', async () => {
    await appendAll(newEntries(2));
    expect(await app.audit.seal(AbortSignal.abort())).toEqual({ sealed: 0, finished: false });
    expect(await pendingIn(app)).toHaveLength(2);
  });

  it('tells of a pending entry that cannot be read, and goes on behind it', async () => {
    const [first, last] = [newEntry(), newEntry()];
    await app.audit.append(first);
    await app.redis.send(['RPUSH', keysOf(app).auditPending(), '{"secret":1'], { kind: 'write' });
    await app.audit.append(last);
    expect(await app.audit.seal()).toEqual({ sealed: 3, finished: true });
    const entries = (await linesInRedis(app)).map(parseSealed);
    expect(idsOf([entries[0], entries[2]] as AuditEntry[])).toEqual(idsOf([first, last]));
    const digest = expect.stringMatching(/^sha256:[0-9a-f]{64}$/);
    expect(entries[1]).toMatchObject({ action: 'audit.unreadable', actor: 'system', details: { digest } });
    expect(JSON.stringify(entries)).not.toContain('secret');
    expect((await verifyWhole(app)).ok).toBe(true);
  });

  it('gives up, and does not turn in circles, when the pending entries cannot be what was read', async () => {
    await appendAll([newEntry()]);
    await app.audit.seal();
    // Bytes that are no UTF-8: read as text they are others.
    const script = "return redis.call('RPUSH', KEYS[1], 'x\\255')";
    await app.redis.send(['EVAL', script, 1, keysOf(app).auditPending()], { kind: 'write' });
    expect(await app.audit.seal()).toMatchObject({ sealed: 0, finished: false });
    expect((await listed()).lines).toHaveLength(1);
  });

  it('refuses to seal behind a head that cannot be read', async () => {
    await appendAll([newEntry()]);
    await app.redis.send(['SET', keysOf(app).auditHead(), 'a9,?'], { kind: 'write' });
    await expect(app.audit.seal()).rejects.toThrow(RangeError);
    expect(await linesInRedis(app)).toEqual([]);
    expect(await headIn(app)).toBe('a9,?');
  });

  describe('listed', () => {
    it('shows what was just done, newest first, with the head', async () => {
      const entries = newEntries(3);
      await appendAll(entries);
      const { ids, next, head } = await listed();
      expect(ids).toEqual(idsOf(entries).toReversed());
      expect(next).toBeNull();
      expect(`a1,${head.seq},${head.hash}`).toBe(await headIn(app));
    });

    it('is empty when nothing was done', async () => {
      for (const order of ['asc', 'desc'] as const)
        expect(await listed({ order })).toMatchObject({ ids: [], next: null });
    });

    it('shows each caller what it did itself, while many do', async () => {
      await Promise.all(
        newEntries(30).map(async (entry, i) => {
          const { audit } = i % 2 === 0 ? app : other;
          await audit.append(entry);
          const { lines } = await audit.list({ order: 'desc', limit: 100 });
          expect(lines.map((line) => line.entry?.id)).toContain(entry.id);
        }),
      );
      expect(await verifyWhole(app)).toMatchObject({ ok: true, entries: 30 });
    });

    it.each(['asc', 'desc'] as const)('comes in pages, each entry once, while more are added: %s', async (order) => {
      const entries = newEntries(7);
      await appendAll(entries);
      const met: unknown[] = [];
      for (let after: number | undefined; ; ) {
        const page = await listed({ order, limit: 3, after });
        met.push(...page.ids);
        if (after === undefined) {
          await appendAll([newEntry()]);
          await app.audit.seal();
        }
        if (page.next === null) break;
        after = page.next;
      }
      const expected = order === 'asc' ? idsOf(entries) : idsOf(entries).toReversed();
      expect(met.slice(0, 7)).toEqual(expected);
      expect(met).toHaveLength(order === 'asc' ? 8 : 7);
    });

    it('is filtered by tenant and action', async () => {
      const [a, b] = [someTenant(), someTenant()];
      const entries = [newEntry(1, a), newEntry(2, b), { ...newEntry(3, a), action: 'key.create' }, newEntry(4, a)];
      await appendAll(entries);
      const [first, , third, fourth] = idsOf(entries);
      expect((await listed({ tenantId: a })).ids).toEqual([fourth, third, first]);
      expect((await listed({ tenantId: a, action: 'key.create' })).ids).toEqual([third]);
      expect((await listed({ action: 'tenant.delete' })).ids).toEqual([]);
      const page = await listed({ tenantId: a, limit: 1, order: 'asc' });
      expect(page).toMatchObject({ ids: [first], next: 1 });
      expect((await listed({ tenantId: a, order: 'asc', after: 1 })).ids).toEqual([third, fourth]);
    });

    it('takes cursors of beyond its ends', async () => {
      await appendAll(newEntries(2));
      await app.audit.seal();
      expect(await listed({ order: 'asc', after: 99 })).toMatchObject({ ids: [], next: null });
      expect((await listed({ order: 'desc', after: 99 })).ids).toHaveLength(2);
      expect(await listed({ order: 'desc', after: 1 })).toMatchObject({ ids: [], next: null });
    });

    it('takes two trips, and two more when there is something to seal', async () => {
      await appendAll(newEntries(2));
      await listed();
      const trips: string[] = [];
      hook = ({ name, phase, port }) => void (phase === 'before' && trips.push(`${port} ${name}`));
      await listed({ after: 2 });
      expect(trips.splice(0)).toEqual(['redis GET', 'redis ZRANGE']);
      await appendAll([newEntry()]);
      trips.length = 0;
      await listed();
      expect(trips).toEqual(['redis GET', 'redis seal-audit', 'redis GET', 'redis ZRANGE']);
    });

    it('can be read while the store is full', async () => {
      const [first, second] = newEntries(2) as [AuditEntry, AuditEntry];
      await appendAll([first]);
      await app.audit.seal();
      await appendAll([second]);
      hook = ({ name, phase }) => {
        if (name === 'seal-audit' && phase === 'before') throw new StorageFullError('store_full', 'full');
      };
      expect((await listed()).ids).toEqual([first.id]);
    });
  });

  describe('tampered with in Redis', () => {
    let lines: readonly string[];
    beforeEach(async () => {
      await appendAll(newEntries(5));
      await app.audit.seal();
      lines = await linesInRedis(app);
    });
    const log = () => keysOf(app).auditLog();
    const found = async () => {
      const { lines: given, head } = await listed({ order: 'asc' });
      const verdict = verify(
        given.map(({ text }) => text),
        { head },
      );
      return verdict.ok ? null : [verdict.broken.why, verdict.broken.seq];
    };

    it('is intact before', async () => expect(await found()).toBeNull());

    it('shows an entry that was removed', async () => {
      await app.redis.send(['ZREMRANGEBYSCORE', log(), 3, 3], { kind: 'write' });
      expect(await found()).toEqual(['missing', 3]);
    });

    it('shows an entry that was changed', async () => {
      await app.redis.send(['ZREMRANGEBYSCORE', log(), 3, 3], { kind: 'write' });
      const forged = (lines[2] as string).replace('tenant.update', 'tenant.delete');
      await app.redis.send(['ZADD', log(), 3, forged], { kind: 'write' });
      expect(await found()).toEqual(['wrong_hash', 3]);
    });

    it('shows entries that changed places', async () => {
      await app.redis.send(['ZADD', log(), 2, lines[3] as string, 4, lines[1] as string], { kind: 'write' });
      expect(await found()).toEqual(['reordered', 2]);
    });

    it('shows that the end was removed', async () => {
      await app.redis.send(['ZREMRANGEBYSCORE', log(), 5, 5], { kind: 'write' });
      expect(await found()).toEqual(['truncated', 5]);
    });

    it('shows an entry that is none, as it is', async () => {
      await app.redis.send(['ZREMRANGEBYSCORE', log(), 3, 3], { kind: 'write' });
      await app.redis.send(['ZADD', log(), 3, 'nothing'], { kind: 'write' });
      expect(await found()).toEqual(['unreadable', 3]);
      expect((await listed({ order: 'asc' })).lines[2]).toEqual({ seq: 3, text: 'nothing', entry: null });
    });
  });
});

describe('a log that is new [T11]', () => {
  let app: App;
  beforeAll(async () => {
    telemetry.logger.setLogLevel('SILENT');
    const settings = await ownLogSettings();
    app = await testApp({ env: { ...settings, PERSISTENCE_BLOBS_BUCKET: 'no-such-bucket' } });
  });

  it('is not begun while nobody can tell whether there was one before', async () => {
    const entry = newEntry();
    await app.audit.append(entry);
    await expect(app.audit.seal()).rejects.toMatchObject({ code: 'blob_store_unavailable' });
    expect(await pendingIn(app)).toHaveLength(1);
    expect(await headIn(app)).toBeNull();
  });
});
