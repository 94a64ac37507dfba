/** Old entries of the audit log in S3: moved whole, once, and found again; a process may be killed at any step. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { type AuditHead, packHead, parseSealed } from '../../lib/audit/chain.ts';
import type { AuditLine } from '../../lib/audit/page.ts';
import { verify } from '../../lib/audit/verify-chain.ts';
import { newUlid } from '../../lib/ids.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { testApp, testEnv } from '../support/app.ts';
import { auditEntry } from '../support/audit-entries.ts';
import {
  fillLog,
  headIn,
  linesInArchive,
  linesInRedis,
  loseLog,
  ownLogSettings,
  pendingIn,
  verifyWhole,
} from '../support/audit-state.ts';
import { keysOf } from '../support/tenant-state.ts';

const HOOK = fileURLToPath(new URL('../../infra/lua-hook.ts', import.meta.url));
const PROCESS = fileURLToPath(new URL('../support/audit-process.ts', import.meta.url));
const FIRST_BLOCK = 'audit/000000000001-000000001000.ndjson';
const newEntry = () => ({ ...auditEntry(1), id: newUlid(Date.now()) });

let env: Record<string, string>;
let app: App;
let hook: FailpointHook;
beforeEach(async () => {
  telemetry.logger.setLogLevel('SILENT');
  hook = () => {};
  env = await ownLogSettings();
  app = await testApp({ env, failpoint: (call) => hook(call) });
});

/** The lines of all pages. */
async function allPages(request: { order: 'asc' | 'desc'; limit: number; action?: string; tenantId?: string }) {
  const lines: AuditLine[] = [];
  let pages = 0;
  for (let after: number | undefined; ; ) {
    const page = await app.audit.list({ ...request, after });
    lines.push(...page.lines);
    pages++;
    if (page.next === null) return { lines, pages };
    after = page.next;
  }
}

/** Compared as a whole: thousands of lines make no message to read. */
const textOf = (lines: readonly AuditLine[]) => lines.map(({ text }) => text).join('\n');

describe('the archive of the audit log [T11]', () => {
  it('takes blocks of 1,000 and leaves the last 10,000 at least', async () => {
    const head = await fillLog(app, 12_345);
    expect(await app.audit.archive()).toEqual({ blocks: 2, finished: true });
    const { keys, lines } = await linesInArchive(app);
    expect(keys).toEqual([FIRST_BLOCK, 'audit/000000001001-000000002000.ndjson']);
    expect(lines).toHaveLength(2_000);
    expect(await linesInRedis(app)).toHaveLength(10_345);
    expect(await verifyWhole(app)).toMatchObject({ ok: true, entries: 12_345, headText: packHead(head) });
    expect(await app.audit.archive()).toEqual({ blocks: 0, finished: true });
  });

  it.each([0, 1, 10_999])('takes nothing of %i entries', async (count) => {
    if (count > 0) await fillLog(app, count);
    expect(await app.audit.archive()).toEqual({ blocks: 0, finished: true });
    expect((await linesInArchive(app)).keys).toEqual([]);
    expect(await linesInRedis(app)).toHaveLength(count);
  });

  it('is read as the rest is, whatever the order', async () => {
    const head = await fillLog(app, 12_100);
    const lines = await linesInRedis(app);
    await app.audit.archive();
    const up = await allPages({ order: 'asc', limit: 700 });
    expect(textOf(up.lines) === lines.join('\n')).toBe(true);
    expect(
      verify(
        up.lines.map(({ text }) => text),
        { head },
      ).ok,
    ).toBe(true);
    const down = await allPages({ order: 'desc', limit: 1_000 });
    expect(textOf(down.lines) === lines.toReversed().join('\n')).toBe(true);
  });

  it('is searched in steps that are bounded', async () => {
    await fillLog(app, 11_000);
    await app.audit.archive();
    const calls: string[] = [];
    hook = ({ port, name, phase }) => void (phase === 'before' && calls.push(`${port} ${name}`));
    const first = await app.audit.list({ order: 'asc', limit: 10, action: 'tenant.create' });
    expect(first).toMatchObject({ lines: [], next: 1_000 });
    expect(calls).toEqual(['redis GET', 'redis GET', 'redis ZRANGE', 'blobs get']);
    expect(await allPages({ order: 'asc', limit: 10, action: 'tenant.create' })).toEqual({ lines: [], pages: 11 });
    expect((await allPages({ order: 'desc', limit: 1_000, action: 'tenant.update' })).lines).toHaveLength(11_000);
  });

  it('converges when two move at once', async () => {
    await fillLog(app, 13_000);
    const other = await testApp({ env });
    await Promise.all([app.audit.archive(), other.audit.archive(), app.audit.archive()]);
    expect((await linesInArchive(app)).keys).toHaveLength(3);
    expect(await linesInRedis(app)).toHaveLength(10_000);
    expect(await verifyWhole(app)).toMatchObject({ ok: true, entries: 13_000 });
  });

  it('takes a block that another run moved between the look and the reading as moved', async () => {
    await fillLog(app, 11_000);
    const other = await testApp({ env });
    let moved = false;
    hook = async ({ name, phase }) => {
      if (name !== 'ZRANGE' || phase !== 'before' || moved) return;
      moved = true;
      expect(await other.audit.archive()).toEqual({ blocks: 1, finished: true });
    };
    expect(await app.audit.archive()).toEqual({ blocks: 0, finished: true });
    expect(await linesInRedis(app)).toHaveLength(10_000);
  });

  it('goes on in the next run when time is up', async () => {
    await fillLog(app, 12_000);
    const deadline = new AbortController();
    hook = ({ name, phase }) => void (name === 'ZREMRANGEBYSCORE' && phase === 'after' && deadline.abort());
    expect(await app.audit.archive(deadline.signal)).toEqual({ blocks: 1, finished: false });
    expect(await app.audit.archive()).toEqual({ blocks: 1, finished: true });
  });

  it('removes nothing from Redis while the archive has something else under its numbers', async () => {
    await fillLog(app, 11_000);
    await app.blobs.put({ key: FIRST_BLOCK, body: Buffer.from('other\n') });
    await expect(app.audit.archive()).rejects.toMatchObject({ code: 'value_corrupt', details: { first: 1 } });
    expect(await linesInRedis(app)).toHaveLength(11_000);
  });

  it('moves no block that is not whole and unbroken', async () => {
    await fillLog(app, 11_000);
    const [line] = (await linesInRedis(app)).slice(499, 500) as [string];
    const log = keysOf(app).auditLog();
    await app.redis.send(['ZREM', log, line], { kind: 'write' });
    await expect(app.audit.archive()).rejects.toMatchObject({ code: 'value_corrupt' });
    await app.redis.send(['ZADD', log, 500, line.replace('tenant.update', 'tenant.delete')], { kind: 'write' });
    await expect(app.audit.archive()).rejects.toMatchObject({ code: 'value_corrupt' });
    expect((await linesInArchive(app)).keys).toEqual([]);
  });

  it('shows entries that are missing in both places, and all others', async () => {
    const head = await fillLog(app, 11_000);
    await app.audit.archive();
    await app.blobs.delete([FIRST_BLOCK]);
    const { lines } = await allPages({ order: 'asc', limit: 1_000 });
    expect(lines).toHaveLength(10_000);
    expect(
      verify(
        lines.map(({ text }) => text),
        { head },
      ),
    ).toMatchObject({
      broken: { why: 'missing', seq: 1, message: 'entries 1 to 1000 are missing' },
    });
  });

  it('is needed for old entries only', async () => {
    await fillLog(app, 11_000);
    await app.audit.archive();
    hook = ({ port }) => {
      if (port === 'blobs') throw new Error('it was asked');
    };
    expect((await app.audit.list({ order: 'desc', limit: 100 })).lines).toHaveLength(100);
    await expect(app.audit.list({ order: 'asc', limit: 100 })).rejects.toThrow('it was asked');
  });
});

describe('a log that Redis has lost [T11]', () => {
  it('goes on behind its archive, and says so', async () => {
    await fillLog(app, 12_000);
    await app.audit.archive();
    await loseLog(app);
    const entry = newEntry();
    await app.audit.append(entry);
    expect(await app.audit.seal()).toMatchObject({ finished: true });
    const [first, second] = (await linesInRedis(app)).map(parseSealed);
    expect(first).toMatchObject({ seq: 2_001, action: 'audit.resume', details: { archived_through: 2_000 } });
    expect(second).toMatchObject({ seq: 2_002, id: entry.id });
    expect(await verifyWhole(app)).toMatchObject({ ok: true, entries: 2_002 });
  });

  it('does so once, when many seal at once', async () => {
    await fillLog(app, 11_000);
    await app.audit.archive();
    await loseLog(app);
    const other = await testApp({ env });
    await app.audit.append(newEntry());
    await Promise.all([app, other, app, other].map(({ audit }) => audit.seal()));
    expect(await linesInRedis(app)).toHaveLength(2);
    expect((await verifyWhole(app)).ok).toBe(true);
  });

  it('is shown by the head that was noted before', async () => {
    const noted: AuditHead = await fillLog(app, 11_500);
    await app.audit.archive();
    await loseLog(app);
    await app.audit.append(newEntry());
    await app.audit.seal();
    expect(await verifyWhole(app, { head: noted })).toMatchObject({ ok: false, broken: { why: 'truncated' } });
  });
});

/** Runs the process until SIGKILL ends it. */
async function runKilled(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, ['--import', HOOK, PROCESS, ...args], {
    env: { PATH: process.env.PATH, ...testEnv('tcp', env) },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code, signal] = await once(child, 'exit');
  expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' });
}

describe('a process killed on the way [T11]', () => {
  it.each([
    ['before', 0],
    ['after', 3],
  ] as const)('%s seal-audit: nothing is lost or twice', async (phase, sealed) => {
    const entries = [newEntry(), newEntry(), newEntry()];
    for (const entry of entries) await app.audit.append(entry);
    await runKilled(['seal', 'seal-audit', phase]);
    expect(await linesInRedis(app)).toHaveLength(sealed);
    expect(await pendingIn(app)).toHaveLength(3 - sealed);
    await app.audit.seal();
    expect((await linesInRedis(app)).map((line) => parseSealed(line)?.id)).toEqual(entries.map(({ id }) => id));
    expect(await verifyWhole(app)).toMatchObject({ ok: true, headText: await headIn(app) });
  });

  it.each([
    ['put', 'before', 0, 11_000],
    ['put', 'after', 1, 11_000],
    ['ZREMRANGEBYSCORE', 'before', 1, 11_000],
    ['ZREMRANGEBYSCORE', 'after', 1, 10_000],
  ] as const)('archiving, at %s %s: the next run ends it', async (name, phase, blocks, left) => {
    await fillLog(app, 11_000);
    await runKilled(['archive', name, phase]);
    expect((await linesInArchive(app)).keys).toHaveLength(blocks);
    expect(await linesInRedis(app)).toHaveLength(left);
    expect((await verifyWhole(app)).ok).toBe(true);
    await app.audit.archive();
    expect((await linesInArchive(app)).keys).toEqual([FIRST_BLOCK]);
    expect(await linesInRedis(app)).toHaveLength(10_000);
    expect(await verifyWhole(app)).toMatchObject({ ok: true, entries: 11_000 });
  });
});
