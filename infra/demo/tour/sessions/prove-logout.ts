/** Who has signed out stays so: what was under way when it happened changes nothing any more, and brings nothing back. */
import { demand, demandRefusal, demandStatus } from '../../claims.ts';
import type { DemoTenant } from '../../tenant.ts';
import { type Act, AMPLE_OPERATIONS } from '../stage.ts';

/** Each with a writer that does not stop until it is refused. */
const BUSY_SESSIONS = 20;
/** Of a busy one, before it is signed out. */
const WRITES_BEFORE = 5;
const MOST_WRITES = 10_000;
const GONE = { status: 404, code: 'session_not_found' };

export const proveLogout: Act = {
  title: 'Sessions: signing out',
  async run({ cast }) {
    const tenant = await cast.create({ name: 'bank', plan: 'professional', quotas: AMPLE_OPERATIONS });
    await proveSlowRequest(tenant);
    const late = await Promise.all(Array.from({ length: BUSY_SESSIONS }, () => proveBusy(tenant)));
    const lateWrites = late.reduce((sum, writes) => sum + writes, 0);
    return {
      shown: [
        'Signed out while a slow request is under way: what that writes at its end gets 404, and the session stays dead',
        `${BUSY_SESSIONS} sessions are signed out while they are being written without a pause: ${lateWrites} writes are ` +
          'answered after that, each with 404; none comes back',
      ],
    };
  },
};

/** A request reads its session and works; meanwhile its user signs out; then it writes. @throws {BrokenClaimError} */
async function proveSlowRequest({ client }: DemoTenant): Promise<void> {
  const params = { id: await begin({ client }) };
  const read = await client.getSession({ params });
  demandStatus(read, 200, 'A slow request reads its session');
  demandStatus(await client.deleteSession({ params }), 204, 'The user signs out');
  const late = await client.updateSessionData({ params, body: { set: { page: 2 } } });
  demandRefusal(late, GONE, 'A slow request that writes after its user signed out');
  demandRefusal(await client.touchSession({ params, body: {} }), GONE, 'Touching a session that was signed out');
  demandRefusal(await client.rotateSession({ params, body: {} }), GONE, 'Rotating a session that was signed out');
  demandRefusal(await client.getSession({ params }), GONE, 'Reading a session that was signed out');
  demandStatus(await client.deleteSession({ params }), 204, 'The user signs out again');
}

/** @returns how many writes were answered after it was signed out. @throws {BrokenClaimError} */
async function proveBusy({ client }: DemoTenant): Promise<number> {
  const params = { id: await begin({ client }) };
  let isOut = false;
  let begunAfter = 0;
  const writeOn = async () => {
    for (let n = 1; n <= MOST_WRITES; n++) {
      const wasOut = isOut;
      const reply = await client.updateSessionData({ params, body: { set: { page: n } } });
      if (n === WRITES_BEFORE) leave.resolve();
      if (isOut) begunAfter++;
      if (!reply.ok) return demandRefusal(reply, GONE, 'A write of a session that is being signed out');
      demand(!wasOut, 'A write was taken that began after the session was signed out');
    }
    demand(false, `A session was signed out, and ${MOST_WRITES} writes of it were taken`);
  };
  const leave = Promise.withResolvers<void>();
  const writing = writeOn();
  await Promise.race([leave.promise, writing]);
  demandStatus(await client.deleteSession({ params }), 204, 'Sign out while the session is written');
  isOut = true;
  await writing;
  const after = await client.updateSessionData({ params, body: { set: { page: 0 } } });
  demandRefusal(after, GONE, 'A write after the session was signed out');
  demandRefusal(await client.getSession({ params }), GONE, 'A read after the session was signed out');
  return begunAfter + 1;
}

async function begin({ client }: Pick<DemoTenant, 'client'>): Promise<string> {
  const begun = await client.createSession({ body: { user_id: 'customer', data: { page: 1 } } });
  demandStatus(begun, 201, 'Begin a session');
  return begun.data.id;
}
