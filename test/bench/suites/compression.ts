/** How small JSON becomes and how long that takes, beside what another system claims for its own data. */
import { pack } from '../../../lib/blobs/codec.ts';
import { measureLatency } from '../rounds.ts';
import { type Row, rowOf } from '../row.ts';
import type { Suite } from '../suite.ts';
import { jsonOfBytes } from '../values.ts';

const CASES = [
  { algorithm: 'lz4', kb: 10, claimedShare: '40 %', claimedTime: '0.2 ms' },
  { algorithm: 'lz4', kb: 100, claimedShare: '37.5 %', claimedTime: '1.1 ms' },
  { algorithm: 'zstd', kb: 10, claimedShare: '34.8 %', claimedTime: '0.4 ms' },
  { algorithm: 'zstd', kb: 100, claimedShare: '30.5 %', claimedTime: '2.3 ms' },
] as const;
const NAMES = { lz4: 'LZ4', zstd: 'Zstd' } as const;

export const compression: Suite = {
  name: 'compression',
  async run() {
    const rows: Row[] = [];
    for (const { algorithm, kb, claimedShare, claimedTime } of CASES) {
      const value = jsonOfBytes(kb * 1024);
      const compress = async () => pack(value, { algorithm, thresholdBytes: 0 });
      const share = ((await compress()).bytes.length / value.length) * 100;
      const { ours } = await measureLatency({ ours: compress }, { rounds: 5, blockMs: 40 });
      const what = `${NAMES[algorithm]} of ${kb} KB of JSON`;
      const id = `${algorithm}-${kb}kb`;
      rows.push(
        rowOf(
          {
            id: `${id}-size`,
            layer: 'lib',
            what: `${what}: stored`,
            claim: claimedShare,
            unit: '%',
            detail: 'of the raw size',
          },
          [share],
        ),
        rowOf(
          {
            id: `${id}-time`,
            layer: 'lib',
            what: `${what}: time, p50`,
            claim: claimedTime,
            unit: 'ms',
            detail: 'compressing',
          },
          ours.map((us) => us / 1000),
        ),
      );
    }
    return rows;
  },
};
