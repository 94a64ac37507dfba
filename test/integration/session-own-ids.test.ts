import { beforeAll, describe, expect, it } from 'vitest';
import { newSessionId } from '../../lib/ids.ts';
import { newTenant } from '../support/app.ts';
import { type Door, openDoor } from '../support/door.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});

async function open() {
  const { key } = await newTenant(door.app);
  const call = async (method: string, target: string, body?: object) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const reply = await door.call({ method, target, key, headers, body: body && JSON.stringify(body) });
    return { status: reply.status, body: reply.body.length === 0 ? null : JSON.parse(reply.body.toString()) };
  };
  return { create: (body: object) => call('POST', '/sessions', body), call };
}

describe('a session with an id of the caller’s [S1 S3]', () => {
  it('is made once, and never again after it was ended', async () => {
    const { create, call } = await open();
    const id = newSessionId(Date.now());
    expect(await create({ id, data: { a: 1 } })).toMatchObject({ status: 201, body: { id, data: { a: 1 } } });
    expect(await create({ id, data: { a: 2 } })).toMatchObject({ status: 409, body: { code: 'session_exists' } });
    expect(await call('GET', `/sessions/${id}`)).toMatchObject({ status: 200, body: { data: { a: 1 } } });
    expect((await call('DELETE', `/sessions/${id}`)).status).toBe(204);
    expect(await create({ id })).toMatchObject({ status: 409, body: { code: 'session_terminated' } });
    expect((await call('GET', `/sessions/${id}`)).status).toBe(404);
  });

  it('has nothing to do with another tenant’s of the same id', async () => {
    const id = newSessionId(Date.now());
    const [one, two] = [await open(), await open()];
    expect((await one.create({ id, data: { a: 1 } })).status).toBe(201);
    expect((await two.create({ id, data: { a: 2 } })).status).toBe(201);
    expect((await two.call('DELETE', `/sessions/${id}`)).status).toBe(204);
    expect(await one.call('GET', `/sessions/${id}`)).toMatchObject({ status: 200, body: { data: { a: 1 } } });
  });

  it.each([['session-1'], [''], [newSessionId(0).toUpperCase()], [`${newSessionId(0)} `], [7], [null]])(
    'cannot have the id %j',
    async (id) => {
      const { create } = await open();
      expect(await create({ id })).toMatchObject({
        status: 400,
        body: { code: 'invalid_request', errors: [{ field: 'body.id' }] },
      });
    },
  );
});
