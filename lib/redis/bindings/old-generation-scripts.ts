/** Bindings: generations of a tenant's data that are not the current one. */
import { asInteger, asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import reclaimGenerationLua from '../scripts/reclaim-generation.lua';

export const reclaimGeneration = defineScript({
  name: 'reclaim-generation',
  source: reclaimGenerationLua,
  keys: ['gate', 'index', 'old', 'lately', 'generations', '...records'],
  args: ['abandoned', '...members'],
  runsWhenFull: true,
  reply: (raw) => {
    const [state, records, objects] = asList(raw, 3).map(asInteger);
    return { state, records, objects } as {
      readonly state: number;
      readonly records: number;
      readonly objects: number;
    };
  },
});
