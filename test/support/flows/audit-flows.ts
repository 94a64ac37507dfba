/** Flows of the audit log, and the calls each makes. */
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import { GENESIS, packHead, parseSealed, unpackHead } from '../../../lib/audit/chain.ts';
import type { AuditEntry } from '../../../lib/audit/entry.ts';
import { newUlid } from '../../../lib/ids.ts';
import { auditEntry, auditLog } from '../audit-entries.ts';
import { fillLog, headIn, linesInRedis, loseLog, ownLogSettings, pendingIn, verifyWhole } from '../audit-state.ts';
import { keysOf } from '../tenant-state.ts';
import type { Flow } from './flow.ts';

const newEntry = (): AuditEntry => ({ ...auditEntry(1), id: newUlid(Date.now()) });

/** One chain, nothing pending, and each of these in it once. */
async function verifySealed(direct: App, entries: readonly AuditEntry[]): Promise<void> {
  const { ok, headText, headInRedis } = await verifyWhole(direct);
  expect({ ok, headText }).toEqual({ ok: true, headText: headInRedis });
  expect(await pendingIn(direct)).toEqual([]);
  const ids = (await linesInRedis(direct)).map((line) => parseSealed(line)?.id);
  for (const { id } of entries) expect(ids.filter((other) => other === id)).toHaveLength(1);
}

const append: Flow = {
  name: 'append to the audit log',
  calls: ['append-audit'],
  settings: ownLogSettings,
  async prepare(app, direct) {
    const entry = newEntry();
    return {
      run: (signal) => app.audit.append(entry, signal),
      async verify() {
        await direct.audit.seal();
        await verifySealed(direct, [entry]);
      },
    };
  },
};

/** A log that has a head, and two entries to be sealed. */
async function pendingTwo(direct: App): Promise<readonly AuditEntry[]> {
  await direct.audit.append(newEntry());
  await direct.audit.seal();
  const entries = [newEntry(), newEntry()];
  for (const entry of entries) await direct.audit.append(entry);
  return entries;
}

const sealPending: Flow = {
  name: 'seal the audit log',
  calls: ['GET', 'seal-audit'],
  settings: ownLogSettings,
  async prepare(app, direct) {
    const entries = await pendingTwo(direct);
    return { run: (signal) => app.audit.seal(signal), verify: () => verifySealed(direct, entries) };
  },
};

const list: Flow = {
  name: 'list the audit log',
  calls: ['GET', 'seal-audit', 'GET', 'ZRANGE'],
  settings: ownLogSettings,
  async prepare(app, direct) {
    const entries = await pendingTwo(direct);
    return {
      run: (signal) => app.audit.list({ order: 'desc', limit: 2, signal }),
      async verify(result) {
        const { lines } = result as Awaited<ReturnType<App['audit']['list']>>;
        expect(lines.map(({ entry }) => entry?.id)).toEqual(entries.map(({ id }) => id).toReversed());
        await verifySealed(direct, entries);
      },
    };
  },
};

const resume: Flow = {
  name: 'go on from the audit archive',
  calls: ['GET', 'blobs list', 'blobs get', 'seal-audit'],
  settings: ownLogSettings,
  async prepare(app, direct) {
    const { lines } = auditLog(1_000);
    const body = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    await direct.blobs.put({ key: 'audit/000000000001-000000001000.ndjson', body, onlyIf: 'absent' });
    await loseLog(direct);
    const entry = newEntry();
    await direct.audit.append(entry);
    return {
      run: (signal) => app.audit.seal(signal),
      async verify() {
        await verifySealed(direct, [entry]);
        const [first, second] = (await linesInRedis(direct)).map(parseSealed);
        expect(first).toMatchObject({ seq: 1_001, action: 'audit.resume', details: { archived_through: 1_000 } });
        expect(second).toMatchObject({ seq: 1_002, id: entry.id });
      },
    };
  },
};

const archive: Flow = {
  name: 'archive the audit log',
  calls: ['GET', 'ZRANGE', 'blobs put', 'ZREMRANGEBYSCORE', 'GET'],
  settings: ownLogSettings,
  async prepare(app, direct) {
    const text = await headIn(direct);
    const head = typeof text === 'string' ? unpackHead(text) : GENESIS;
    const next = await fillLog(direct, head.seq === 0 ? 11_000 : 1_000, head);
    return {
      run: (signal) => app.audit.archive(signal),
      async verify() {
        expect(await direct.redis.send(['ZCARD', keysOf(direct).auditLog()], { kind: 'read' })).toBe(10_000);
        const { ok, entries, headText } = await verifyWhole(direct);
        expect({ ok, entries, headText }).toEqual({ ok: true, entries: next.seq, headText: packHead(next) });
      },
    };
  },
};

export const auditFlows: readonly Flow[] = [append, sealPending, list, resume, archive];
