/** What the session endpoints promise, over one transport: a file of each runs it, for its functions share one app. */
import { beforeAll, describe, expect, it } from 'vitest';
import { newUlid } from '../../lib/ids.ts';
import { ListSessionsResponse } from '../../lib/sessions/http/list-contract.ts';
import { RotateSessionResponse, TouchSessionResponse } from '../../lib/sessions/http/renew-contract.ts';
import { SessionChangeResponse, SessionResponse } from '../../lib/sessions/http/session-fields.ts';
import { newTenant, type TestTenant, type Transport } from './app.ts';
import { type Door, type DoorReply, openDoor } from './door.ts';
import { expectProblem } from './problem.ts';
import { auditSessions } from './session-audit.ts';
import { jsonOf, otherSecret, type SessionBody, sessionDoor } from './session-door.ts';
import { letExpire, spillAll } from './spill-tools.ts';

const NOT_FOUND = '404 session_not_found';

export function testSessionsOverHttp(transport: Transport): void {
  let door: Door;
  let owner: TestTenant;
  let sessions: ReturnType<typeof sessionDoor>;
  beforeAll(async () => {
    door = await openDoor({}, transport);
    owner = await newTenant(door.app);
    sessions = sessionDoor(door, owner.key);
  });

  describe(`sessions over HTTP and ${transport} [S1 S2 S3 S4 A14]`, () => {
    it('are made, read, changed, kept alive, given a new id and ended', async () => {
      const made = await sessions.create(
        '{"user_id":"ada","metadata":{"client_ip":"10.0.0.1","attributes":{"a":"b"}},"ttl_seconds":600,"max_lifetime_seconds":3600,"data":{"theme":"dark","cart":[1]}}',
      );
      expect(made.status).toBe(201);
      const session = SessionResponse.parse(jsonOf(made));
      expect(session).toMatchObject({
        user_id: 'ada',
        version: 1,
        ttl_seconds: 600,
        metadata: { client_ip: '10.0.0.1', attributes: { a: 'b' } },
        data: { theme: 'dark', cart: [1] },
      });
      expect(made.headers).toMatchObject({ etag: '"1"', location: `/sessions/${session.id}` });
      const lives = Date.parse(session.absolute_expires_at) - Date.parse(session.created_at);
      expect(lives).toBe(3_600_000);

      const { id } = session;
      const read = await sessions.get(id);
      expect(read).toMatchObject({ status: 200, headers: { etag: '"1"', 'riptide-expires-at': session.expires_at } });
      expect(SessionResponse.parse(jsonOf(read)).data).toEqual(session.data);

      const changed = await sessions.update(id, '{"set":{"theme":"light","seen":1},"remove":["cart","nothing"]}');
      expect(changed).toMatchObject({ status: 200, headers: { etag: '"2"' } });
      expect(SessionChangeResponse.parse(jsonOf(changed)).version).toBe(2);
      expect((await sessions.put(id, 'a%2Fb', '{"x":null}')).status).toBe(200);
      expect((await sessions.remove(id, 'seen')).headers.etag).toBe('"4"');
      expect((await sessions.remove(id, 'seen')).status).toBe(200);
      expect(jsonOf(await sessions.get(id)).data).toEqual({ theme: 'light', 'a/b': { x: null } });

      const touched = await sessions.touch(id, '{"ttl_seconds":1200}');
      const { expires_at } = TouchSessionResponse.parse(jsonOf(touched));
      expect(Date.parse(expires_at)).toBeGreaterThan(Date.parse(session.expires_at) + 590_000);

      const rotated = await sessions.rotate(id, '{"user_id":"grace"}');
      const { id: next } = RotateSessionResponse.parse(jsonOf(rotated));
      expect(rotated).toMatchObject({ status: 200, headers: { etag: '"6"', location: `/sessions/${next}` } });
      expectProblem(await sessions.get(id), NOT_FOUND);
      expect(jsonOf(await sessions.get(next))).toMatchObject({ user_id: 'grace', data: { theme: 'light' } });
      expect(jsonOf(await sessions.get(next)).ttl_seconds).toBe(1_200);

      expect(jsonOf(await sessions.end(next, '?dry_run=true'))).toEqual({ would_terminate: 1 });
      expect((await sessions.get(next)).status).toBe(200);
      const ended = await sessions.end(next);
      expect([ended.status, ended.body.length]).toEqual([204, 0]);
      expect((await sessions.end(next)).status).toBe(204);
      expect(jsonOf(await sessions.end(next, '?dry_run=true'))).toEqual({ would_terminate: 0 });
      for (const reply of [await sessions.get(next), await sessions.put(next, 'a', '1'), await sessions.touch(next)])
        expectProblem(reply, NOT_FOUND);
      await auditSessions(door.app, owner.tenant.id);
    });

    it('are nobody’s and empty where nothing is said, with the lifetimes of the deployment', async () => {
      const session = await sessions.made();
      expect(session).toMatchObject({ user_id: null, metadata: {}, data: {}, ttl_seconds: 1_800 });
      expect(await sessions.made('{"user_id":null,"data":{},"metadata":{}}')).toMatchObject({ user_id: null });
      expect(jsonOf(await sessions.rotate(session.id, '{"user_id":"ada"}')).user_id).toBe('ada');
    });

    it('need no body where nothing has to be said', async () => {
      const made = await sessions.send('POST', '/sessions');
      expect(made.status).toBe(201);
      const path = `/sessions/${jsonOf(made).id}`;
      expect(await sessions.send('POST', `${path}/touch`)).toMatchObject({ status: 200 });
      expect(await sessions.send('POST', `${path}/rotate`)).toMatchObject({ status: 200 });
    });

    it('are not there to be ended once they have expired, however often that is asked', async () => {
      const session = await sessions.made();
      await letExpire(door.app, owner.tenant.id, session.id);
      for (const _time of ['first', 'again']) expectProblem(await sessions.end(session.id), NOT_FOUND);
    });

    it('may have an id of the caller’s, once', async () => {
      const id = `session-${newUlid(Date.now())}-${newUlid(Date.now())}`;
      const body = JSON.stringify({ id, data: { n: 1 } });
      expect(jsonOf(await sessions.create(body)).id).toBe(id);
      expectProblem(await sessions.create(body), '409 session_exists');
      expectProblem(await sessions.create(JSON.stringify({ id: otherSecret(id) })), '409 session_exists');
      expect((await sessions.get(id)).headers.etag).toBe('"1"');
      await sessions.end(id);
      expectProblem(await sessions.create(body), '409 session_terminated');
      for (const bad of ['session-x', id.toUpperCase(), `${id}0`])
        expectProblem(await sessions.create(JSON.stringify({ id: bad })), '400 invalid_request');
    });

    it('live on when they are read, unless they are only looked at', async () => {
      const { id } = await sessions.made('{"ttl_seconds":100}');
      const before = jsonOf(await sessions.send('GET', `/sessions/${id}?touch=false`)).expires_at;
      await expect
        .poll(async () => jsonOf(await sessions.get(id)).expires_at > before, { timeout: 10_000, interval: 100 })
        .toBe(true);
    });

    it('are told to be as the caller has them, by the version', async () => {
      const { id } = await sessions.made('{"data":{"a":1}}');
      for (const tag of ['"1"', 'W/"1"', '"7", "1"', '*']) {
        const reply = await sessions.get(id, { 'if-none-match': tag });
        expect([tag, reply.status, reply.headers.etag, reply.body.length]).toEqual([tag, 304, '"1"', 0]);
      }
      for (const tag of ['"2"', '"01"', '"x"', '""'])
        expect((await sessions.get(id, { 'if-none-match': tag })).status).toBe(200);
      expectProblem(await sessions.get(otherSecret(id), { 'if-none-match': '*' }), NOT_FOUND);
    });

    it('come back from S3 as any other', async () => {
      const tenant = await newTenant(door.app);
      const own = sessionDoor(door, tenant.key);
      const { id } = await own.made('{"user_id":"ada","data":{"n":12345678901234567890}}');
      await spillAll(door.app, tenant.tenant.id);
      expect(ListSessionsResponse.parse(jsonOf(await own.list('user_id=ada'))).items[0]?.tier).toBe('cold');
      expectProblem(await own.get(otherSecret(id)), NOT_FOUND);
      expect((await own.put(id, 'm', '1')).headers.etag).toBe('"2"');
      expect(String((await own.get(id)).body)).toContain('"data":{"m":1,"n":12345678901234567890}');
    });
  });

  describe(`a value over ${transport} [S2 A14]`, () => {
    const TEXTS = [
      '12345678901234567890',
      '-0',
      '0.10',
      '1e400',
      '1E+2',
      '-1.50e-7',
      'null',
      'true',
      '""',
      '"\\ud800"',
      '"\\u00e9\\/\\n"',
      '"é\u2028🙂"',
      '{"a":{"b":[1.0,  2]} }',
      '[]',
      `${'['.repeat(29)}1.0${']'.repeat(29)}`,
      '{"":0.0,"constructor":{"prototype":null}}',
      '"a\\\\\\"}],:{["',
    ];
    const nameOf = (i: number) => `k${String(i).padStart(2, '0')}`;
    const inBody = (texts: readonly string[]) => `{${texts.map((text, i) => `"${nameOf(i)}" : ${text}\n`).join(',')}}`;
    const expected = TEXTS.map((text, i) => `"${nameOf(i)}":${text}`).join(',');
    const dataOf = (reply: DoorReply) => /"data":(\{.*\})\}$/s.exec(reply.body.toString())?.[1];

    it('comes back exactly as it was sent, however it was', async () => {
      const made = await sessions.create(`{ "ttl_seconds" : 60, "data" : ${inBody(TEXTS)} }`);
      expect(dataOf(made)).toBe(`{${expected}}`);
      const { id } = jsonOf(made);
      expect(dataOf(await sessions.get(id))).toBe(`{${expected}}`);

      const empty = await sessions.made();
      await sessions.update(empty.id, `{"set":${inBody(TEXTS)}}`);
      expect(dataOf(await sessions.get(empty.id))).toBe(`{${expected}}`);

      for (const text of TEXTS) {
        const one = await sessions.made();
        expect((await sessions.put(one.id, 'v', ` \n${text}\t`)).status).toBe(200);
        expect(dataOf(await sessions.get(one.id))).toBe(`{"v":${text}}`);
      }
    });

    it('has any key of its own', async () => {
      const keys = ['constructor', 'toString', '{}', '.', '..', 'a b', 'a/b?c#d', '"\\', 'é🙂', 'd:x', '*'];
      const data = Object.fromEntries(keys.map((key, i) => [key, i]));
      const { id } = await sessions.made(JSON.stringify({ data }));
      expect(jsonOf(await sessions.get(id)).data).toEqual(data);
      for (const key of keys.filter((each) => !/[?#]|^\.+$/.test(each)))
        expect((await sessions.put(id, encodeURIComponent(key), '"new"')).status).toBe(200);
      expect(jsonOf(await sessions.get(id)).data).toMatchObject({ constructor: 'new', '"\\': 'new', 'a/b?c#d': 6 });
      expect((await sessions.update(id, JSON.stringify({ remove: keys }))).status).toBe(200);
      expect(jsonOf(await sessions.get(id)).data).toEqual({});
    });

    it('of a tenant that encrypts is sealed in Redis, and comes back as it was sent', async () => {
      const tenant = await newTenant(door.app, { encryption: true });
      const own = sessionDoor(door, tenant.key);
      const { id } = await own.made('{"data":{"secret":1.00}}');
      expect(String((await own.get(id)).body)).toContain('"data":{"secret":1.00}');
    });
  });

  describe(`a session that cannot be found, over ${transport} [S3 T2 A14]`, () => {
    /** Without what differs between any two answers. */
    const comparable = ({ status, headers, body }: DoorReply) => {
      const { 'x-request-id': _id, ratelimit: _left, ...rest } = headers;
      return { status, headers: rest, body: body.toString().replace(/"request_id":"[^"]*"/, '') };
    };
    const metered = async (tenant: TestTenant) => {
      const { used } = await door.app.account.identify(tenant.caller);
      return [used.operations, used.bytes_in, used.bytes_out];
    };

    it('is answered and metered alike, whatever is the matter with its id', async () => {
      const asker = await newTenant(door.app);
      const own = sessionDoor(door, asker.key);
      const foreign = await sessions.made();
      const mine = await own.made();
      const [expired, ended, rotated] = [await own.made(), await own.made(), await own.made()];
      await letExpire(door.app, asker.tenant.id, expired.id);
      await own.end(ended.id);
      await own.rotate(rotated.id);
      const ids = {
        unknown: `session-${newUlid(Date.now())}-${'7'.repeat(26)}`,
        foreign: foreign.id,
        wrongSecret: otherSecret(mine.id),
        withoutSecret: mine.id.slice(0, -27),
        expired: expired.id,
        ended: ended.id,
        rotated: rotated.id,
        malformed: 'nothing',
        upperCase: mine.id.toUpperCase(),
        long: 'x'.repeat(2_000),
        odd: '%7B%7D%00*',
        proto: '__proto__',
      };
      const asks: readonly ((id: string) => Promise<DoorReply>)[] = [
        (id) => own.get(id),
        (id) => own.get(id, { 'if-none-match': '*' }),
        (id) => own.update(id, '{"set":{"a":1}}'),
        (id) => own.put(id, 'a', '1', { 'if-match': '"1"' }),
        (id) => own.remove(id, 'a'),
        (id) => own.touch(id),
        (id) => own.rotate(id),
        (id) => own.rotate(id, '{}', { 'if-match': '*' }),
      ];
      for (const [i, ask] of asks.entries()) {
        const answers = new Map<string, unknown>();
        for (const [what, id] of Object.entries(ids)) {
          const before = await metered(asker);
          const reply = await ask(id);
          expectProblem(reply, NOT_FOUND);
          expect(reply.headers).toHaveProperty('ratelimit');
          const after = await metered(asker);
          const cost = after.map((value, at) => value - (before[at] as number));
          answers.set(what, { ...comparable(reply), cost });
        }
        const [first] = answers.values();
        for (const [what, answer] of answers) expect(answer, `${what} (${i})`).toEqual(first);
      }
      for (const id of [ids.unknown, ids.foreign, ids.wrongSecret, ids.malformed]) {
        expectProblem(await own.end(id), NOT_FOUND);
        expectProblem(await own.end(id, '?dry_run=true'), NOT_FOUND);
      }
      expect((await own.get(mine.id)).status).toBe(200);
      expect((await sessions.get(foreign.id)).status).toBe(200);
    });
  });

  describe(`If-Match over ${transport} [S2]`, () => {
    it('lets a change through in the version it names, else tells which it is', async () => {
      const { id } = await sessions.made('{"data":{"a":1}}');
      const changes = [
        (tag: string) => sessions.update(id, '{"set":{"a":2}}', { 'if-match': tag }),
        (tag: string) => sessions.put(id, 'a', '3', { 'if-match': tag }),
        (tag: string) => sessions.remove(id, 'a', { 'if-match': tag }),
        (tag: string) => sessions.rotate(id, '{}', { 'if-match': tag }),
      ];
      for (const change of changes) {
        for (const tag of ['"2"', 'W/"1"', '"x"', '"01"', '""', 'W/"1", "2"']) {
          const { details } = expectProblem(await change(tag), '409 version_conflict');
          expect(details).toEqual({ current_version: 1 });
        }
        for (const tag of ['', '1', '"1', '"1", "2"', "'1'"]) expectProblem(await change(tag), '400 invalid_request');
      }
      const [first = () => sessions.get(id), second = first] = changes;
      expect((await first('"1"')).headers.etag).toBe('"2"');
      expectProblem(await second('"1"'), '409 version_conflict');
      expect((await second('*')).headers.etag).toBe('"3"');
      expect((await second('"x", "3"')).headers.etag).toBe('"4"');
    });
  });

  describe(`an Idempotency-Key over ${transport} [S1 S4 A14]`, () => {
    it('makes one session, changes it once, and gives it one new id', async () => {
      const tenant = await newTenant(door.app);
      const own = sessionDoor(door, tenant.key);
      const headers = { 'idempotency-key': 'the-same' };
      const body = '{"user_id":"ada","data":{"n":1.00}}';
      const [first, again] = [await own.create(body, headers), await own.create(body, headers)];
      expect([first.status, again.status]).toEqual([201, 201]);
      expect(again.body.toString()).toBe(first.body.toString());
      expect(again.headers).toMatchObject({ 'idempotency-status': 'replayed', location: first.headers.location });
      const { id } = jsonOf(first);
      await own.update(id, '{"set":{"n":2}}', headers);
      expect((await own.update(id, '{"set":{"n":2}}', headers)).headers.etag).toBe('"2"');
      const { id: next } = jsonOf(await own.rotate(id, '{}', headers));
      expect(jsonOf(await own.rotate(id, '{}', headers)).id).toBe(next);
      expectProblem(await own.create('{}', headers), '422 idempotency_key_reused');
      expect(ListSessionsResponse.parse(jsonOf(await own.list('user_id=ada'))).items).toHaveLength(1);
    });

    it('lets what was refused be tried again', async () => {
      const { id } = await sessions.made();
      const headers = { 'idempotency-key': `again-${id}`, 'if-match': '"2"' };
      expectProblem(await sessions.update(id, '{"set":{"a":1}}', headers), '409 version_conflict');
      await sessions.put(id, 'b', '1');
      expect((await sessions.update(id, '{"set":{"a":1}}', headers)).headers.etag).toBe('"3"');
    });
  });

  describe(`the sessions of a user over ${transport} [S4]`, () => {
    it('are listed by pages in the order they were made, and ended, but the one', async () => {
      const tenant = await newTenant(door.app);
      const own = sessionDoor(door, tenant.key);
      const made: SessionBody[] = [];
      for (let i = 0; i < 5; i++) {
        made.push(await own.made(`{"user_id":"ada \u{1f642}","data":{"i":${i}}}`));
        await expect.poll(() => Date.now()).toBeGreaterThan(Date.parse(made.at(-1)?.expires_at ?? '') - 1_800_000);
      }
      const other = await own.made('{"user_id":"ada"}');
      const user = `user_id=${encodeURIComponent('ada \u{1f642}')}`;
      const found: string[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const reply = await own.list(`${user}&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
        const page: ListSessionsResponse = ListSessionsResponse.parse(jsonOf(reply));
        found.push(...page.items.map(({ id }) => id));
        expect(page.items.every((item) => item.data_bytes === 2 && !('data' in item))).toBe(true);
        cursor = page.next_cursor;
      }
      expect(found).toEqual(made.map(({ id }) => id));

      const kept = made[2]?.id ?? '';
      const dry = await own.endAll(`${user}&except=${kept}&dry_run=true`);
      expect(jsonOf(dry)).toEqual({ would_terminate: 4, more: false });
      expect(jsonOf(await own.endAll(`${user}&except=${kept}`))).toEqual({ terminated: 4, more: false });
      expect((await own.get(kept)).status).toBe(200);
      expectProblem(await own.get(found[0] ?? ''), NOT_FOUND);
      expect((await own.get(other.id)).status).toBe(200);
      expect(jsonOf(await own.endAll(user))).toEqual({ terminated: 1, more: false });
      expect(jsonOf(await own.endAll(user))).toEqual({ terminated: 0, more: false });
      expect(jsonOf(await own.list('user_id=nobody'))).toEqual({ items: [], next_cursor: null });
      expect(await auditSessions(door.app, tenant.tenant.id)).toMatchObject({ sessions: 1 });
    });
  });
}
