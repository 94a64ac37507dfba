import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Summary } from '../../infra/demo/summary.ts';
import { type Lie, type PassedReply, startLyingProxy } from '../support/lying-proxy.ts';
import { pollUntil } from '../support/poll-until.ts';
import { withServiceApp } from '../support/service-app.ts';
import { type RunningService, startService } from '../support/start-service.ts';

const DEMO = fileURLToPath(new URL('../../infra/demo/demo.ts', import.meta.url));
const ESCAPE = '\x1b';

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Of sessions there are few, unless the test says how many. */
const withSessions = (args: readonly string[]) => (args.includes('--sessions') ? args : [...args, '--sessions', '100']);

/** The demo in another process. Its temporary files are in `folder`, which holds no running service. */
function spawnDemo(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const none = { RIPTIDE_URL: '', RIPTIDE_ADMIN_KEY: '', NO_COLOR: undefined, FORCE_COLOR: undefined };
  const own = { RIPTIDE_DATA_DIR: folder, TMPDIR: folder };
  const child = spawn(process.execPath, [DEMO, ...withSessions(args)], {
    env: { ...process.env, ...none, ...own, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (text.stdout += chunk));
  child.stderr.on('data', (chunk) => (text.stderr += chunk));
  const ended = new Promise<Run>((resolve) => child.once('close', (code) => resolve({ code, ...text })));
  return { ended, text, signal: (name: NodeJS.Signals) => void child.kill(name) };
}

const runDemo = (args: readonly string[], env?: Readonly<Record<string, string>>) => spawnDemo(args, env).ended;

function summaryOf({ code, stdout, stderr }: Run): Summary {
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

function expectTimes(operations: Summary['operations']): void {
  const counts = Object.fromEntries(operations.map(({ operation, count }) => [operation, count]));
  const each = { put: 400, get: 400, 'get (if-none-match)': 400, head: 400, delete: 400 };
  expect(counts).toEqual({ ...each, 'get (miss)': 800, 'get (one at a time)': 100 });
  for (const { p50_ms, p95_ms, p99_ms } of operations) {
    expect(p50_ms).toBeGreaterThan(0);
    expect(p95_ms).toBeGreaterThanOrEqual(p50_ms);
    expect(p99_ms).toBeGreaterThanOrEqual(p95_ms);
  }
}

/** Its lines add up, and count what the tenant's own minutes count. */
function expectBill({ bill, usage, tenants }: Summary): void {
  expect(tenants.map(({ plan }) => plan)).toEqual(['starter', 'professional']);
  expect(bill).toMatchObject({ tenant: 'A', plan: 'starter' });
  const { lines, total_micros, under_other_plans } = bill as NonNullable<typeof bill>;
  expect(lines.reduce((sum, { amount_micros }) => sum + amount_micros, 0)).toBe(total_micros);
  const operations = usage.filter(({ tenant }) => tenant === 'A').reduce((sum, minute) => sum + minute.operations, 0);
  expect(lines.find(({ key }) => key === 'operations')?.quantity).toBe(String(operations));
  expect(under_other_plans.map(({ plan }) => plan)).toEqual(['free', 'professional', 'enterprise']);
}

/** Each act of the cache told what it saw; the better a cache packs, the less it holds. */
function expectCache({ cache, shown }: Summary): void {
  expect(shown.join('\n')).toMatch(
    /loaded ahead.*dry run counts.*stampede.*lease_lost.*stale=allow.*by a link.*make room.*statistics/s,
  );
  expect(cache.map(({ compression }) => compression)).toEqual(['none', 'lz4', 'zstd']);
  for (const { keys, hits, misses, hit_rate } of cache) {
    expect(hits).toBe(keys);
    expect(hit_rate).toBeCloseTo(hits / (hits + misses), 5);
  }
  const [plain, lz4, zstd] = cache.map(({ packed_bytes }) => packed_bytes);
  expect(plain).toBe(cache[0]?.raw_bytes);
  expect(lz4).toBeLessThan(plain ?? 0);
  expect(zstd).toBeLessThan(lz4 ?? 0);
}

/** Far more than Redis may hold, and never more in it; each there again when it was read. */
function expectSessions({ sessions: { spill, duels }, shown }: Summary, count: number): void {
  expect(shown.join('\n')).toMatch(
    /24 writers.*slow request.*being written.*new id.*are in S3.*S3 lists.*came back equal.*sign out everywhere/s,
  );
  expect(duels.map(({ writes }) => writes)).toEqual([72, 72, 72]);
  const [naive, careful, keyed] = duels.map(({ lost }) => lost);
  expect(naive).toBeGreaterThan(0);
  expect({ careful, keyed }).toEqual({ careful: 0, keyed: 0 });
  if (spill === null) throw new Error('The sessions were not shown');
  const { settled, budget_bytes, threshold_ratio, peak_hot_bytes, document_bytes, objects, memory, moves } = spill;
  expect(spill.sessions).toBe(count);
  expect(document_bytes).toBeGreaterThan(2 * budget_bytes);
  expect(peak_hot_bytes).toBeLessThanOrEqual(budget_bytes);
  expect(settled.hot + settled.cold).toBe(count);
  expect(settled.hot_bytes).toBeLessThanOrEqual(threshold_ratio * budget_bytes);
  expect(objects?.count).toBeGreaterThanOrEqual(settled.cold);
  expect(objects?.names[0]).toMatch(/^sessions\/spillover\/tenant-\w+\/\w{26}\/session-\w{26}\.session$/);
  expect(memory.map(({ phase }) => phase)).toEqual(expect.arrayContaining(['begin', 'read all']));
  expect(moves.map(({ move }) => move)).toEqual(['spill', 'restore']);
  for (const { sessions, operations, avg_ms } of moves) {
    expect(sessions).toBeGreaterThan(0);
    expect(operations).toBeLessThanOrEqual(sessions);
    expect(avg_ms).toBeGreaterThan(0);
  }
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'riptide-demo-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the demo with a service of its own [C1 C4 C5 C6 C7 C8 C9 C10 C11 C12 C13 T2 T3 T4 T5 T6 T7 T8 T10 T11 S1 S2 S3 S4 P1 P2 P3 P4 P6]', () => {
  it('stores and reads 200 real documents for two tenants, times it, shows what must not work, and leaves nothing', async () => {
    const summary = summaryOf(await runDemo(['--documents', '200', '--sessions', '600', '--json']));
    expect(summary).toMatchObject({ ok: true, documents: 200, left: null, service: { started_by_demo: true } });
    expect(summary.tenants.map(({ name }) => name)).toEqual(['A', 'B']);
    for (const tenant of summary.tenants) {
      // Read once for its bytes, once with its ETag, once for its headers, and 50 once more.
      expect(tenant).toMatchObject({ documents: 200, hits: 3 * 200 + 50, misses: 2 * 200 });
      expect(tenant.bytes_stored).toBeLessThan(tenant.bytes_in);
      expect(tenant.stored_ratio).toBeCloseTo(tenant.bytes_stored / tenant.bytes_in, 3);
    }
    expect(summary.limit).toMatchObject({ burst: 3, operations_per_minute: 30, refused: expect.any(Number) });
    expectTimes(summary.operations);
    expectBill(summary);
    expect(summary.quotas_met.map(({ resource, status, code }) => [resource, status, code])).toEqual([
      ['memory_bytes', 507, 'memory_full'],
      ['operations_per_minute', 429, 'quota_exceeded'],
      ['storage_bytes', 507, 'storage_full'],
    ]);
    for (const { used, limit } of summary.quotas_met) expect(used).toBeLessThanOrEqual(limit);
    expect(summary.not_shown).toEqual([]);
    expect(summary.audit.head).toMatch(new RegExp(`^${summary.audit.entries}:[0-9a-f]{64}$`));
    expect(summary.shown.join('\n')).toMatch(/byte for byte.*404.*401.*429.*Retry-After/s);
    expectCache(summary);
    expectSessions(summary, 600);
    expect(summary.shown.join('\n')).toMatch(
      /507.*given back.*user-2.*denies.*rotated.*In Redis.*2 s.*Webhooks.*add up/s,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it('stops its service and takes its data away on Ctrl-C', async () => {
    const demo = spawnDemo(['--json']);
    const url = () => /two tenants, (\S+)\n/.exec(demo.text.stderr)?.[1];
    await pollUntil(async () => url() !== undefined, 30_000);
    demo.signal('SIGINT');
    expect(await demo.ended).toMatchObject({ code: 130, stdout: '' });
    await expect(fetch(`${url()}/health/live`)).rejects.toThrow('fetch failed');
    expect(await readdir(folder)).toEqual([]);
  });

  it('is not misled by what a killed service has left behind', async () => {
    const gone = { RIPTIDE_URL: 'http://127.0.0.1:9', RIPTIDE_ADMIN_KEY: 'admin-of-a-dead-service' };
    await writeFile(join(folder, 'env.json'), JSON.stringify(gone));
    const { service } = summaryOf(await runDemo(['--documents', '2', '--json']));
    expect(service.started_by_demo).toBe(true);
  });

  it.each([['--documents', '0'], ['--documents', 'many'], ['--sessions', '99'], ['--fast']])(
    'refuses %s %s and says what may be said',
    async (...args) => {
      const { code, stdout, stderr } = await runDemo(args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain('npm run demo -- [--documents N]');
      expect(stderr).not.toContain('    at ');
    },
  );
});

describe('the demo with a running service [C1 T1 T2 T5 T9]', () => {
  let service: RunningService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.stop());

  const address = () => ({ RIPTIDE_URL: service.url, RIPTIDE_ADMIN_KEY: service.adminKey });

  const statusOf = async (id: string) => {
    const headers = { authorization: `Bearer ${service.adminKey}` };
    const response = await fetch(`${service.url}/admin/tenants/${id}`, { headers });
    return ((await response.json()) as { status: unknown }).status;
  };

  /** What the schedule does next leaves receipts and bills, and nothing else. */
  const expectErasable = async (ids: readonly string[]) => {
    expect(ids.length).toBeGreaterThan(5);
    for (const id of ids) expect(await statusOf(id)).toBe('deleted');
    await withServiceApp(service, async ({ erasure }) => {
      expect(await erasure.eraseDue()).toEqual({ erased: ids.length, failed: 0, finished: true });
    });
    for (const id of ids) expect(await statusOf(id)).toBe(410);
    const redis = new Redis(service.settings.RIPTIDE_LOCAL_REDIS_URL ?? '');
    try {
      const left = (await redis.keys('*tenant-*')).map((key) => key.replace(/^.*\}:/, ''));
      expect([...new Set(left)].toSorted()).toEqual(['billing', 'erased']);
    } finally {
      redis.disconnect();
    }
  };

  it('finds it by its data folder, takes its entries away again and says what is left', async () => {
    const env = { RIPTIDE_DATA_DIR: service.dataDir };
    const summary = summaryOf(await runDemo(['--documents', '10', '--json'], env));
    expect(summary.service).toEqual({ url: service.url, started_by_demo: false });
    expect(summary.left).toMatchObject({ tenants: [], documents: 0 });
    await expectErasable(summary.left?.to_be_erased ?? []);
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
  });

  it('keeps what it stored when it is told to', async () => {
    const { left } = summaryOf(await runDemo(['--documents', '10', '--json', '--keep'], address()));
    expect(left).toMatchObject({ documents: 18, to_be_erased: [] });
    for (const id of left?.tenants ?? []) expect(await statusOf(id)).toBe('active');
  });

  it('prints tables for people, and no colour where it is not wanted', async () => {
    const plain = await runDemo(['--documents', '4'], address());
    expect(plain.code, plain.stderr).toBe(0);
    expect(plain.stdout).toMatch(
      /Bytes stored.*p99.*zstd +hits +█.*100 sessions of 2 tenants.*budget 104.9 MB ┤.*in S3.*Redis to S3.*one data key each.*memory_full.*█.*total .*✓ Tenant B cannot.*Left in/s,
    );
    expect(plain.stdout + plain.stderr).not.toContain(ESCAPE);
    expect(plain.stderr).toContain('Tenant A: 100 %');
    expect(plain.stderr).toContain('[demo] Key rotation …');
  });

  it.each([
    [
      'a service that is not there',
      { RIPTIDE_URL: 'http://127.0.0.1:9', RIPTIDE_ADMIN_KEY: 'x'.repeat(16) },
      /No service answers/,
    ],
    ['no admin key', { RIPTIDE_URL: 'http://127.0.0.1:9' }, /set RIPTIDE_ADMIN_KEY/],
    ['what is no URL', { RIPTIDE_URL: 'localhost', RIPTIDE_ADMIN_KEY: 'x'.repeat(16) }, /RIPTIDE_URL/],
  ])('ends with 1 and one line when it is given %s', async (_what, env, message) => {
    const { code, stderr } = await runDemo(['--documents', '2'], env);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('    at ');
  });

  it('ends with 1 when the admin key is wrong', async () => {
    const { code, stderr } = await runDemo(['--documents', '2'], { ...address(), RIPTIDE_ADMIN_KEY: 'x'.repeat(16) });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /A claim does not hold: Read the audit log as administrator: expected 200, came 401 key_unknown/,
    );
  });
});

describe('the demo checks what it says [C1 C7 C8 C9 C12 T2 T3 T4 T5 T7 T10 T11]', () => {
  let service: RunningService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.stop());

  const changed = (reply: PassedReply, headers: Readonly<Record<string, string>>): PassedReply => ({
    ...reply,
    headers: new Headers({ ...Object.fromEntries(reply.headers), ...headers }),
  });

  const flipsByte: Lie = async ({ method, path }, forward) => {
    const reply = await forward();
    if (method === 'GET' && path.startsWith('/cache/demo-b/') && reply.status === 200) reply.body[0] = 0;
    return reply;
  };
  const changesType: Lie = async ({ path }, forward) => {
    const reply = await forward();
    return path.startsWith('/cache/') && reply.status === 200 ? changed(reply, { 'content-type': 'text/html' }) : reply;
  };
  const lengthensWait: Lie = async (_request, forward) => {
    const reply = await forward();
    return reply.status === 429 ? changed(reply, { 'retry-after': '3' }) : reply;
  };
  const sendsTwice: Lie = async ({ method }, forward) => {
    if (method === 'HEAD') await forward();
    return forward();
  };
  /** Whoever asks for A's documents gets them. */
  const mixesTenants = (): Lie => {
    let keyOfA: string | null = null;
    return async ({ path, headers }, forward) => {
      if (!path.startsWith('/cache/demo-a/')) return forward();
      keyOfA ??= headers.get('authorization');
      return forward(new Headers({ ...Object.fromEntries(headers), authorization: keyOfA ?? '' }));
    };
  };
  /** Nobody is refused for a wrong key. */
  const believesAll = (): Lie => {
    let good = '';
    return async ({ path, headers }, forward) => {
      const reply = await forward();
      if (path === '/whoami' && reply.status === 200) good = headers.get('authorization') ?? '';
      return reply.status === 401 ? forward(new Headers({ authorization: good })) : reply;
    };
  };

  /** Changes the JSON of answers whose path it knows. */
  const rewrites =
    (path: RegExp, change: (json: string) => string): Lie =>
    async (request, forward) => {
      const reply = await forward();
      if (!path.test(request.path) || reply.status >= 400) return reply;
      const body = Buffer.from(change(reply.body.toString()));
      return { ...changed(reply, { 'content-length': String(body.length) }), body };
    };
  const raisesTotal = rewrites(/\/billing$/, (json) =>
    json.replace(/"total_micros":(-?\d+)/, (_, micros) => `"total_micros":${Number(micros) + 1}`),
  );
  const letsLogIn = rewrites(/^\/ratelimit\//, (json) => json.replace('"allowed":false', '"allowed":true'));
  const swapsSecret = rewrites(/\/alerts$/, (json) => json.replace(/"whsec_[A-Za-z0-9+/]{4}/, '"whsec_AAAA'));
  const countsMore = rewrites(/^\/invalidate\?dry_run=true/, (json) =>
    json.replace(/"would_invalidate":(\d+)/, (_, entries) => `"would_invalidate":${Number(entries) + 1}`),
  );
  const flatters = rewrites(/^\/admin\/cache\/stats/, (json) => json.replace('"misses":', '"misses":1'));
  /** Everybody is to load. */
  const leasesToAll: Lie = async (_request, forward) => {
    const reply = await forward();
    const lease = `1-${'0'.repeat(24)}`;
    return reply.headers.has('riptide-lease-held') ? changed(reply, { 'riptide-lease': lease }) : reply;
  };
  const hidesAge: Lie = async (_request, forward) => {
    const reply = await forward();
    return reply.headers.has('riptide-stale') ? changed(reply, { 'riptide-stale': 'false' }) : reply;
  };
  /** What was signed out is written all the same. */
  const forgets: Lie = async ({ method, path }, forward) => {
    const reply = await forward();
    const isLate = method === 'PATCH' && path.startsWith('/sessions/') && reply.status === 404;
    if (!isLate) return reply;
    const body = Buffer.from('{"version":9,"expires_at":"2100-01-01T00:00:00.000Z"}');
    const headers = { 'content-type': 'application/json', 'content-length': String(body.length) };
    return { ...changed(reply, headers), status: 200, body };
  };
  const changesSessions = rewrites(/^\/sessions\/[^/?]+$/, (json) => json.replace('"path":"', '"path":"x'));
  const overfills = rewrites(/^\/admin\/spillover\?tenant_id=/, (json) =>
    json.replace(/"hot_bytes":(\d+)/, (_, bytes) => `"hot_bytes":${Number(bytes) + 1e9}`),
  );
  const rewritesLog = rewrites(/^\/admin\/audit\?.*asc/, (json) => json.replace('"actor":"admin:', '"actor":"nobody:'));
  /** Takes every write, whatever a policy says. */
  const ignoresPolicies: Lie = async ({ method, path }, forward) => {
    const reply = await forward();
    const isDenied = method === 'PUT' && path.startsWith('/cache/frozen/') && reply.status === 403;
    return isDenied ? { ...changed(reply, { 'content-length': '0' }), status: 204, body: Buffer.alloc(0) } : reply;
  };

  async function countEntries(): Promise<number> {
    const redis = new Redis(service.settings.RIPTIDE_LOCAL_REDIS_URL ?? '');
    try {
      return (await redis.keys('*:c:demo-*')).length;
    } finally {
      redis.disconnect();
    }
  }

  it.each<[string, Lie, RegExp]>([
    ['a byte that came back different', flipsByte, /Tenant B, \S+: what came back differs from the \d+ bytes stored/],
    ['another content type', changesType, /came back as text\/html/],
    ['a Retry-After that is too long', lengthensWait, /Retry-After says 3000 ms, and the limit resets in \d+ ms/],
    ['an operation metered twice', sendsTwice, /Tenant [AB]: metered operations \d+, and it must be \d+/],
    ["a tenant that reads another's documents", mixesTenants(), /Tenant B, reading \S+ of tenant A: expected 404/],
    ['a wrong key that is let in', believesAll(), /key with a wrong secret: expected 401/],
    ['a dry run that counts more', countsMore, /Dry runs counted \d+ and \d+, and \d+ were invalidated/],
    ['a lease for everybody', leasesToAll, /Store what was loaded under the lease: expected 201, came 412 lease_lost/],
    ['a stale value without its label', hidesAge, /A stale value says that it is stale/],
    ['statistics that are not true', flatters, /the statistics say [\d, ]+, and it must be/],
    ['a login more than the limit', letsLogIn, /Of 12 logins at once 12 were allowed, not 5/],
    ['a policy that is not heeded', ignoresPolicies, /another allows: expected 403 access_denied/],
    ['a message signed by somebody else', swapsSecret, /The signature of the message holds/],
    ['a bill that does not add up', raisesTotal, /its lines add up to -?\d+, and its total is -?\d+/],
    ['a write of a session that was signed out', forgets, /after its user signed out: expected 404 session_not_found/],
    ['a session that came back different', changesSessions, /what came back differs from what was stored/],
    ['more sessions in Redis than may be', overfills, /Sessions hold \d+ bytes of Redis, and may hold 104857600/],
    ['a log with another name in it', rewritesLog, /The audit log is not intact: entry \d+ is not what was sealed/],
  ])('ends with 1 on %s, names it, and takes its entries away', async (_what, lie, message) => {
    const proxy = await startLyingProxy(service.url, lie);
    try {
      const env = { RIPTIDE_URL: proxy.url, RIPTIDE_ADMIN_KEY: service.adminKey };
      const { code, stdout, stderr } = await runDemo(['--documents', '6', '--json'], env);
      expect(stderr).toMatch(message);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(await countEntries()).toBe(0);
    } finally {
      await proxy.stop();
    }
  });
});
