/** Bindings: sessions on their way between Redis and S3. */
import type { Shortage } from '../../gate/full.ts';
import { asInteger, asList, asText } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import claimSessionsLua from '../scripts/claim-sessions.lua';
import markSessionLua from '../scripts/mark-session.lua';
import removeTombstonesLua from '../scripts/remove-tombstones.lua';
import restoreSessionLua from '../scripts/restore-session.lua';
import stubSessionsLua from '../scripts/stub-sessions.lua';

/** Each session's fields and values by turns; null: it is not to be spilled. */
export const claimSessions = defineScript({
  name: 'claim-sessions',
  source: claimSessionsLua,
  keys: ['gate', 'index', '...records'],
  args: ['count', 'token', 'claimMs', 'objectMs', 'maxBytes', '...seen'],
  runsWhenFull: true,
  reply: (raw) => {
    const [untilMs, settled, ...found] = asList(raw);
    const sessions = found.map((fields) => {
      const list = asList(fields) as readonly string[];
      return list.length === 0 ? null : list;
    });
    return { untilMs: asInteger(untilMs), settled: asInteger(settled), sessions };
  },
});

export const stubSessions = defineScript({
  name: 'stub-sessions',
  source: stubSessionsLua,
  keys: ['gate', 'index', 'lately', '...records'],
  args: ['count', 'token', 'until', 'spillUs', '...places'],
  runsWhenFull: true,
  reply: (raw) => {
    const [hotBytes, outcomes] = asList(raw, 2);
    // A number: there is no such tenant any more.
    return { hotBytes: asInteger(hotBytes), outcomes: outcomes === 0 ? '' : asText(outcomes) };
  },
});

export const restoreSession = defineScript({
  name: 'restore-session',
  source: restoreSessionLua,
  keys: ['gate', 'index', 'session', 'claim', 'lately'],
  args: ['seq', 'object', 'token', 'fill', 'restoreUs', '...fields'],
  reply: (raw) => {
    // Of a tenant that is no more, two zeros.
    const [outcome, hotBytes, share = 0, epoch = 0, needed = 0, used = 0, more = 0, limit = 0] =
      asList(raw).map(asInteger);
    const shortage = more === 0 ? null : { used, held: 0, needed: more, limit };
    return { outcome, hotBytes, share, epoch, needed, shortage } as {
      readonly outcome: number;
      readonly hotBytes: number;
      readonly share: number;
      readonly epoch: number;
      readonly needed: number;
      /** The tenant's memory is full; null: its share of the memory of sessions is. */
      readonly shortage: Shortage | null;
    };
  },
});

/** @returns whether it is marked so; false: the session is another by now. */
export const markSession = defineScript({
  name: 'mark-session',
  source: markSessionLua,
  keys: ['session'],
  args: ['object', 'mark'],
  reply: (raw) => asInteger(raw) !== 0,
});

export const removeTombstones = defineScript({
  name: 'remove-tombstones',
  source: removeTombstonesLua,
  keys: ['gate', 'dead'],
  args: ['limit'],
  runsWhenFull: true,
  reply: (raw) => {
    const [removed, bytes] = asList(raw);
    return { removed: asInteger(removed), bytes: asInteger(bytes) };
  },
});
