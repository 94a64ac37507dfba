/** Bindings: sessions: creating, changing and ending them. */
import { asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import createSessionLua from '../scripts/create-session.lua';
import rotateSessionLua from '../scripts/rotate-session.lua';
import terminateSessionsLua from '../scripts/terminate-sessions.lua';
import touchSessionLua from '../scripts/touch-session.lua';
import updateSessionLua from '../scripts/update-session.lua';
import { GATE_ARGS } from './gate-args.ts';

export const createSession = defineScript({
  name: 'create-session',
  source: createSessionLua,
  keys: ['gate', 'holds', 'session', 'index', 'dead'],
  args: [...GATE_ARGS, 'secret', 'user', 'idleMs', 'lifeMs', 'op', 'meta', 'place', '...fields'],
  reply: (raw) => asList(raw),
});

export const updateSession = defineScript({
  name: 'update-session',
  source: updateSessionLua,
  keys: ['gate', 'holds', 'session', 'index'],
  args: [...GATE_ARGS, 'secret', 'condition', 'op', 'maxBytes', 'maxKeys', 'replace', 'sets', '...fields'],
  reply: (raw) => asList(raw),
});

export const touchSession = defineScript({
  name: 'touch-session',
  source: touchSessionLua,
  keys: ['gate', 'session', 'index'],
  args: [...GATE_ARGS, 'secret', 'idleMs'],
  runsWhenFull: true,
  reply: (raw) => asList(raw),
});

export const terminateSessions = defineScript({
  name: 'terminate-sessions',
  source: terminateSessionsLua,
  keys: ['gate', 'dead', 'index', '...sessions'],
  args: [...GATE_ARGS, 'dry', 'user', '...secrets'],
  runsWhenFull: true,
  reply: (raw) => asList(raw),
});

export const rotateSession = defineScript({
  name: 'rotate-session',
  source: rotateSessionLua,
  keys: ['gate', 'holds', 'session', 'index', 'dead'],
  args: [...GATE_ARGS, 'secret', 'newSecret', 'condition', 'op', 'changesUser', 'user'],
  reply: (raw) => asList(raw),
});
