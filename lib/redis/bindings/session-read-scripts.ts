/** Bindings: sessions: reading them. */
import { asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import getSessionLua from '../scripts/get-session.lua';
import listSessionsLua from '../scripts/list-sessions.lua';
import peekSessionsLua from '../scripts/peek-sessions.lua';
import { GATE_ARGS } from './gate-args.ts';

export const getSession = defineScript({
  name: 'get-session',
  source: getSessionLua,
  keys: ['gate', 'holds', 'session', 'index', 'claim'],
  args: [...GATE_ARGS, 'secret', 'touch', 'token', 'claimMs', 'fill'],
  runsWhenFull: true,
  reply: (raw) => asList(raw),
});

export const listSessions = defineScript({
  name: 'list-sessions',
  source: listSessionsLua,
  keys: ['gate', 'index'],
  args: [...GATE_ARGS, 'user', 'after', 'limit'],
  runsWhenFull: true,
  reply: (raw) => asList(raw),
});

/** Each as it stands: null none; a stub's text; or fields and values by turns. */
export const peekSessions = defineScript({
  name: 'peek-sessions',
  source: peekSessionsLua,
  keys: ['...sessions'],
  args: ['what'],
  reply: (raw) => asList(raw).map(readStored),
});

const readStored = (stored: ReturnType<typeof asList>[number]): string | readonly string[] | null => {
  if (typeof stored === 'string') return stored === '' ? null : stored;
  const fields = asList(stored) as readonly string[];
  return fields.length === 0 ? null : fields;
};
