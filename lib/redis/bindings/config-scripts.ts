/** Bindings: the configuration at run time. */
import { asInteger, asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import activateConfigLua from '../scripts/activate-config.lua';

export const activateConfig = defineScript({
  name: 'activate-config',
  source: activateConfigLua,
  keys: ['active', 'versions', 'pending', 'seen'],
  args: ['rev', 'text', 'entryId', 'entry', '...inUse'],
  // The way out of a memory that is full may be another configuration.
  runsWhenFull: true,
  reply: (raw) => asInteger(asList(raw, 1)[0]) === 1,
});
