/** Bindings: records of every kind. */
import { asInteger, asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import removeExpiredRecordsLua from '../scripts/remove-expired-records.lua';

export const removeExpiredRecords = defineScript({
  name: 'remove-expired-records',
  source: removeExpiredRecordsLua,
  keys: ['gate', 'index', '...records'],
  args: ['...expiries'],
  reply: (raw) => {
    const [removed, bytes, settled = 0] = asList(raw);
    return { removed: asInteger(removed), bytes: asInteger(bytes), settled: asInteger(settled) };
  },
});
