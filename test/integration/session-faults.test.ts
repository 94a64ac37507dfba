/** Objects of sessions that are gone, damaged or another's; and S3 that does not answer. Never an empty session, and none lost. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { App } from '../../lib/app.ts';
import { sha256Of } from '../../lib/blobs/sha256.ts';
import type { BlobStore } from '../../lib/blobs/store.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { newUlid, type TenantId } from '../../lib/ids.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { verifyAccess } from '../../lib/redis/bindings/gate-scripts.ts';
import { parseSessionStub } from '../../lib/sessions/session-format.ts';
import { sessionParts } from '../../lib/sessions/session-ids.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { servers } from '../support/servers.ts';
import { auditSessions } from '../support/session-audit.ts';
import { sessionMemory } from '../support/session-memory.ts';
import { sessionObjects, spillAll, spillToolsOn, texts } from '../support/spill-tools.ts';
import { keysOf } from '../support/tenant-state.ts';

const READ = { kind: 'read' } as const;
const GONE = { code: 'session_lost', status: 410 };
const DAMAGED = { code: 'session_corrupt', status: 500 };

beforeAll(() => {
  telemetry.logger.setLogLevel('SILENT');
});

/** An object of about 4 KB that does not get smaller. */
const someData = () => texts({ a: randomBytes(1_500).toString('base64'), b: randomBytes(1_500).toString('base64') });

interface ColdCase {
  readonly caller: Caller;
  readonly id: TenantId;
  readonly session: string;
  readonly data: ReadonlyMap<string, string>;
  readonly key: string;
  readonly body: Buffer;
}

async function coldSession(app: App): Promise<ColdCase> {
  const { caller } = await newTenant(app);
  const id = caller.tenantId;
  const data = someData();
  const { id: session } = await app.sessions.create(caller, { userId: 'ada', data });
  await spillAll(app, id);
  const [key = ''] = await sessionObjects(app, id);
  const { body } = (await app.blobs.get(key)) ?? expect.fail();
  return { caller, id, session, data, key, body };
}

const stubKey = (app: App, { id, session }: Pick<ColdCase, 'id' | 'session'>) =>
  keysOf(app).session(id, 1, sessionParts(session).ulid);
const stubText = async (app: App, of: ColdCase) => (await app.redis.send(['GET', stubKey(app, of)], READ)) as string;

const isListed = async (app: App, { id, session }: ColdCase) => {
  const member = `${id},session-${sessionParts(session).ulid}`;
  return (await app.redis.send(['ZSCORE', keysOf(app).sessionQuarantine(), member], READ)) !== null;
};

const flip = (object: Buffer, bit: number): Buffer => {
  const changed = Buffer.from(object);
  changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
  return changed;
};

const DAMAGES: readonly (readonly [name: string, change: (object: Buffer) => Buffer | null])[] = [
  ['missing', () => null],
  ['empty', () => Buffer.alloc(0)],
  ['cut after its first byte', (object) => object.subarray(0, 1)],
  ['cut in the middle', (object) => object.subarray(0, object.length >> 1)],
  ['without its last byte', (object) => object.subarray(0, -1)],
  ['a byte longer', (object) => Buffer.concat([object, Buffer.of(0)])],
  ['with its first bit flipped', (object) => flip(object, 0)],
  ['with its last bit flipped', (object) => flip(object, object.length * 8 - 1)],
];

describe.each(TRANSPORTS)('the object of a session, over %s [P4 P5]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });

  /** Every way to ask for the data says so, each time, and changes nothing; with the object put back all is as before. */
  const expectQuarantined = async (of: ColdCase, problem: object) => {
    const { caller, id, session, data, key, body } = of;
    for (let times = 0; times < 2; times++) {
      await expect(app.sessions.get(caller, session)).rejects.toMatchObject(problem);
      await expect(app.sessions.update(caller, session, { set: texts({ c: 1 }) })).rejects.toMatchObject(problem);
    }
    expect(parseSessionStub(await stubText(app, of)).place.quarantined).toBe(true);
    expect(await isListed(app, of)).toBe(true);
    expect(await app.sessions.touch(caller, session)).toMatchObject({ version: 1 });
    expect((await app.sessions.list(caller, 'ada', { limit: 5 })).items).toMatchObject([{ tier: 'cold' }]);

    await app.blobs.put({ key, body });
    expect(await app.sessions.get(caller, session)).toMatchObject({ version: 1, data, userId: 'ada' });
    expect(await isListed(app, of)).toBe(false);
    expect(await app.sessions.get(caller, session)).toMatchObject({ version: 1, data, tier: 'hot' });
    expect(await auditSessions(app, id)).toMatchObject({ sessions: 1, spilled: 0 });
  };

  it.each(DAMAGES)('%s: a problem each time, quarantined until it is put back', async (_name, change) => {
    const of = await coldSession(app);
    const changed = change(of.body);
    if (changed === null) await app.blobs.delete([of.key]);
    else await app.blobs.put({ key: of.key, body: changed });
    await expectQuarantined(of, changed === null ? GONE : DAMAGED);
  });

  it('of another tenant, another session or an older version is not taken for its own, also when its digest stands in the stub', async () => {
    const of = await coldSession(app);
    const other = await coldSession(app);
    const { id: second } = await app.sessions.create(of.caller, { data: of.data });
    await spillAll(app, of.id);
    const ofSecond = (await sessionObjects(app, of.id)).find((key) => key.includes(sessionParts(second).ulid)) ?? '';
    const older = of.body;
    await app.sessions.update(of.caller, of.session, { set: texts({ c: 1 }) });
    await spillAll(app, of.id);
    const text = await stubText(app, of);
    const { place } = parseSessionStub(text);
    const key = (await sessionObjects(app, of.id)).find((name) => name.includes(place.objectUlid)) ?? '';
    const own = (await app.blobs.get(key))?.body ?? expect.fail();
    const foreign = [other.body, (await app.blobs.get(ofSecond))?.body ?? expect.fail(), older];

    for (const body of foreign) {
      await app.blobs.put({ key, body });
      await expect(app.sessions.get(of.caller, of.session)).rejects.toMatchObject(DAMAGED);
      const { sha256, rawBytes } = describeObject(body);
      const forged = text.replace(
        `,${place.bytes},${place.sha256},${place.rawBytes},`,
        `,${body.length},${sha256},${rawBytes},`,
      );
      expect(forged).not.toBe(text);
      await app.redis.send(['SET', stubKey(app, of), forged], { kind: 'write' });
      await expect(app.sessions.get(of.caller, of.session)).rejects.toMatchObject(DAMAGED);
      await app.redis.send(['SET', stubKey(app, of), text], { kind: 'write' });
    }
    await app.blobs.put({ key, body: own });
    const data = new Map([...of.data, ...texts({ c: 1 })]);
    expect(await app.sessions.get(of.caller, of.session)).toMatchObject({ version: 2, data });
  });

  it('that is damaged is no hindrance to ending its session, which then stays dead', async () => {
    const of = await coldSession(app);
    await app.blobs.delete([of.key]);
    await expect(app.sessions.get(of.caller, of.session)).rejects.toMatchObject(GONE);
    expect(await app.sessions.rotate(of.caller, of.session)).toMatchObject({ version: 2 });
    expect(await app.sessions.get(of.caller, of.session)).toBeNull();
    expect(await app.sessions.terminateUser(of.caller, 'ada')).toEqual({ terminated: 1, more: false });
    expect(await auditSessions(app, of.id)).toMatchObject({ sessions: 0 });
  });
});

/** What a stub of it would say. The frame says how long its content is. */
const describeObject = (body: Buffer) => ({ sha256: sha256Of(body), rawBytes: Number(body.readBigUInt64LE(6)) });

describe('every bit of an object [P4 P5]', () => {
  it('flipped is found before anything is decompressed', { timeout: 120_000 }, async () => {
    const app = await testApp();
    const of = await coldSession(app);
    let bit = -1;
    const found = (await app.blobs.get(of.key)) ?? expect.fail();
    const get = async () => ({ ...found, body: bit < 0 ? of.body : flip(of.body, bit) });
    const blobs: BlobStore = { ...app.blobs, get };
    const { cold } = spillToolsOn({ ...app, blobs });
    const { ulid, secret } = sessionParts(of.session);
    const { context } = await contextOf(app, of.caller);
    const place = { id: of.id, generation: 1 };
    const read = async () =>
      cold.read({ place, context, ulid, secret, stub: await stubText(app, of), claim: { state: 'none' } });
    for (bit = 0; bit < of.body.length * 8; bit++) {
      const outcome = await read().catch((error: { code: string }) => error.code);
      if (outcome !== 'session_corrupt') expect.fail(`bit ${bit} was not found`);
    }
    bit = -1;
    expect((await read())?.data).toEqual(of.data);
    expect(of.body.length).toBeGreaterThan(4_000);
  });
});

async function contextOf(app: App, caller: Caller) {
  const none = () => ({});
  return app.gate.run(caller, { script: verifyAccess, scope: 'sessions:read', kind: 'read', keys: none, args: none });
}

const BUDGET = 262_144;

describe.each(TRANSPORTS)('S3 that does not answer, over %s [P2 P4 M3]', (transport) => {
  it('keeps cold sessions from being read, hot ones from nothing, new ones only where there is no more memory', async () => {
    const { s3 } = servers();
    const proxy = await startFaultProxy({ targetPort: Number(new URL(s3.url).port) });
    onTestFinished(() => proxy.stop());
    const env = {
      PERSISTENCE_CACHE_KEY_PREFIX: `s3-${newUlid(Date.now())}`,
      PERSISTENCE_SPILLOVER_MAX_MEMORY_BYTES: String(BUDGET),
      PERSISTENCE_BLOBS_ENDPOINT: `http://127.0.0.1:${proxy.port}`,
    };
    const app = await testApp({ transport, env });
    const { caller } = await newTenant(app, { encryption: false });
    const id = caller.tenantId;
    const create = async (n: number) => {
      const data = texts({ n, text: 'x'.repeat(4_000) });
      return { session: (await app.sessions.create(caller, { data })).id, data };
    };
    const cold = [await create(0), await create(1), await create(2)];
    await spillAll(app, id);
    const hot = [await create(3)];

    await proxy.refuse();
    const unknown = { code: 'blob_store_unavailable', status: 503 };
    for (const { session } of cold) {
      await expect(app.sessions.get(caller, session)).rejects.toMatchObject(unknown);
      await expect(app.sessions.update(caller, session, { set: texts({ c: 1 }) })).rejects.toMatchObject(unknown);
    }
    let refused: unknown;
    while (refused === undefined && hot.length < 100)
      await create(hot.length + 10).then(
        (one) => hot.push(one),
        (error: unknown) => {
          refused = error;
        },
      );
    expect(refused).toMatchObject({ code: 'session_memory_full', status: 507, retryAfterMs: expect.any(Number) });
    const { tenants, totalBytes } = await sessionMemory(app).look([id]);
    expect(totalBytes).toBeLessThanOrEqual(BUDGET);
    // The last twentieth is for tenants that have little.
    expect(tenants[0]?.hotBytes).toBeGreaterThan(BUDGET * 0.95 - 5_500);
    expect(tenants[0]?.hotBytes).toBeLessThanOrEqual(BUDGET);
    for (const { session, data } of hot) expect(await app.sessions.get(caller, session)).toMatchObject({ data });
    expect(await app.sessions.rotate(caller, hot[0]?.session ?? '')).toMatchObject({ version: 2 });
    expect(await app.sessions.terminate(caller, cold[2]?.session ?? '')).toBe(true);

    await proxy.accept();
    hot.push(await create(1_000));
    for (const { session, data } of [...cold.slice(0, 2), ...hot.slice(1)])
      expect(await app.sessions.get(caller, session)).toMatchObject({ data });
    expect(await app.sessions.get(caller, cold[2]?.session ?? '')).toBeNull();
    const { sessions } = await auditSessions(app, id);
    expect(sessions).toBe(hot.length + 2);
  });
});
