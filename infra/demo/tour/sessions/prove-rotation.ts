/** A session gets a new id when its user signs in: whoever was given the old one before has nothing. */
import { isDeepStrictEqual } from 'node:util';
import { demand, demandRefusal, demandStatus } from '../../claims.ts';
import { type Act, AMPLE_OPERATIONS } from '../stage.ts';

const GONE = { status: 404, code: 'session_not_found' };
const DATA = { basket: ['a document', 'another'], total: 12.5 };

export const proveRotation: Act = {
  title: 'Sessions: a new id',
  async run({ cast }) {
    const { client } = await cast.create({ name: 'market', plan: 'professional', quotas: AMPLE_OPERATIONS });
    const begun = await client.createSession({ body: { data: DATA } });
    demandStatus(begun, 201, 'Begin a session of nobody');
    const old = { id: begun.data.id };
    const rotated = await client.rotateSession({ params: old, body: { user_id: 'alice' } });
    demandStatus(rotated, 200, 'Give a session a new id');
    const params = { id: rotated.data.id };
    demand(params.id !== old.id, 'The new id of a session is another one');
    const read = await client.getSession({ params });
    demandStatus(read, 200, 'Read a session by its new id');
    const { data, user_id, version } = read.data;
    demand(isDeepStrictEqual(data, DATA), 'Under its new id a session has the same data');
    demand(user_id === 'alice' && version === begun.data.version + 1, `It is version ${version} of ${user_id}`);
    const write = await client.updateSessionData({ params: old, body: { set: { basket: [] } } });
    demandRefusal(write, GONE, 'A write by the old id');
    demandRefusal(await client.getSession({ params: old }), GONE, 'A read by the old id');
    const stale = { 'if-match': `"${begun.data.version}"` };
    const late = await client.updateSessionData({ params, headers: stale, body: { set: { basket: [] } } });
    demandRefusal(late, { status: 409, code: 'version_conflict' }, 'A write over the version before');
    return {
      shown: [
        'A session is given a new id and its user, and keeps its data: the old id gets 404 at once, If-Match of the version before 409',
      ],
    };
  },
};
