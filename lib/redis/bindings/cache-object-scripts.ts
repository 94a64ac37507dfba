/** Bindings: objects in S3 that are to have the values of cache entries. */
import { asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import beginCacheObjectLua from '../scripts/begin-cache-object.lua';
import { GATE_ARGS } from './gate-args.ts';

export const beginCacheObject = defineScript({
  name: 'begin-cache-object',
  source: beginCacheObjectLua,
  keys: ['gate', 'holds', 'entry', 'index'],
  args: [...GATE_ARGS, 'ulid', 'bytes', 'forMs', 'meter'],
  reply: (raw) => asList(raw),
});
