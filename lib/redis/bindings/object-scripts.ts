/** Bindings: objects in S3, whatever they are to hold. */
import { asInteger } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import registerObjectLua from '../scripts/register-object.lua';

export const registerObject = defineScript({
  name: 'register-object',
  source: registerObjectLua,
  keys: ['gate', 'index'],
  args: ['object', 'forMs'],
  reply: (raw) => asInteger(raw),
});
