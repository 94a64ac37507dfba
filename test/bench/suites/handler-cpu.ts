/** What the door costs: CPU of the whole handler, less that of the bare client call, in a process of its own. */
import { fileURLToPath } from 'node:url';
import { runProcess } from '../child-process.ts';
import { atMost, rowOf } from '../row.ts';
import { median } from '../statistics.ts';
import type { Suite } from '../suite.ts';

const FILE = fileURLToPath(new URL('../processes/handler-cpu.ts', import.meta.url));
const NAMES = { rest: 'REST', tcp: 'TCP' } as const;

export const handlerCpu: Suite = {
  name: 'handler-cpu',
  async run({ entry, apiKey, rawKey, env }) {
    const rows = [];
    for (const transport of ['rest', 'tcp'] as const) {
      const args = [entry.namespace, entry.key, apiKey, rawKey];
      const said = await runProcess({ file: FILE, args, env: env[transport] });
      const { ours, raw } = said as { readonly ours: readonly number[]; readonly raw: readonly number[] };
      const beyond = ours.map((us, round) => us - (raw[round] as number));
      const facts = {
        id: `handler-cpu-${transport}`,
        layer: 'handler',
        what: `CPU of the cache-read handler beyond the client call, ${NAMES[transport]}, p50`,
        reach: atMost(150),
        unit: 'µs',
        detail: `${median(ours).toFixed(0)} vs ${median(raw).toFixed(0)} µs of a bare GET`,
      } as const;
      rows.push(rowOf(facts, beyond));
    }
    return rows;
  },
};
