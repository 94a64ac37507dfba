/** Statistics of caches as bars, as a person reads them. */
import { barOf } from './report-bill.ts';
import { count, type Paint } from './report-table.ts';
import type { CacheFigures } from './tour/stage.ts';

const BAR_WIDTH = 40;

/** Two bars for each cache: of its reads those that were hits, of the bytes it was given those it takes. */
export function formatCache(caches: readonly CacheFigures[], paint: Paint): string {
  const lines = caches.flatMap((cache) => {
    const { compression, keys, hits, misses, raw_bytes, packed_bytes, avg_access_time_us } = cache;
    const reads = `${count(hits)} of ${count(hits + misses)} reads, ${Math.round(avg_access_time_us ?? 0)} µs each`;
    const bytes = `${count(packed_bytes)} of ${count(raw_bytes)} bytes, ${count(keys)} entries`;
    return [
      line(`${compression.padEnd(4)}  hits  `, cache.hit_rate ?? 0, reads, paint),
      line('      stored', raw_bytes === 0 ? 0 : packed_bytes / raw_bytes, bytes, paint),
    ];
  });
  return [paint('bold', 'Statistics of a cache, by how it packs'), ...lines].join('\n');
}

function line(label: string, share: number, says: string, paint: Paint): string {
  const bar = paint('green', barOf(Math.min(1, share)).padEnd(BAR_WIDTH));
  return `  ${label}  ${bar}  ${(share * 100).toFixed(1)} %  ${says}`;
}
