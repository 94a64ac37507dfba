/** Many writers of one session lose nothing when each writes its own keys; what they lose otherwise is counted, not said. */
import { demand } from '../../claims.ts';
import { type Act, AMPLE_OPERATIONS } from '../stage.ts';
import { fight, ONE_KEY, WHOLE_DOCUMENT, WITH_IF_MATCH, WRITERS } from './duel.ts';

export const proveUpdates: Act = {
  title: 'Sessions: many writers at once',
  async run({ cast }) {
    const { client } = await cast.create({ name: 'desk', plan: 'professional', quotas: AMPLE_OPERATIONS });
    const naive = await fight(client, WHOLE_DOCUMENT);
    const careful = await fight(client, WITH_IF_MATCH);
    const keyed = await fight(client, ONE_KEY);
    for (const { way, lost, writes } of [careful, keyed])
      demand(lost === 0, `Of ${writes} acknowledged writes (${way}) ${lost} are lost`);
    return {
      shown: [
        `${WRITERS} writers of one session: of ${keyed.writes} writes of one data key each none is lost; read, changed and written ` +
          `as a whole ${naive.lost} of ${naive.writes} are; with If-Match none, after ${careful.calls} calls instead of ${keyed.calls}`,
      ],
      duels: [naive, careful, keyed],
    };
  },
};
