/** Requests a second of the HTTP host, beside the barest server Node can be; loaded from a third process. */
import { fileURLToPath } from 'node:url';
import { runProcess, startProcess } from '../child-process.ts';
import { measureRounds } from '../rounds.ts';
import { atLeast, rowOf } from '../row.ts';
import { median, ratiosOf } from '../statistics.ts';
import type { Suite } from '../suite.ts';

const processFile = (name: string) => fileURLToPath(new URL(`../processes/${name}.ts`, import.meta.url));
const PATH = '/health/live';

export const httpHost: Suite = {
  name: 'http-host',
  async run({ env }) {
    await using servers = new AsyncDisposableStack();
    const start = async (name: string) => {
      const server = await startProcess({ file: processFile(name), env: env.tcp });
      servers.defer(() => server.stop());
      return server.said as string;
    };
    const sides = { ours: await start('http-host'), bare: await start('bare-server') };
    const load = async (url: string, blockMs: number) =>
      (await runProcess({ file: processFile('http-load'), args: [url + PATH, String(blockMs)] })) as number;
    const rates = await measureRounds(sides, { rounds: 9, blockMs: 250 }, load);
    return [
      rowOf(
        {
          id: 'host-live',
          layer: 'HTTP',
          what: 'GET /health/live vs a bare node:http hello, requests per second',
          reach: atLeast(0.5),
          unit: '×',
          detail: `${median(rates.ours).toFixed(0)} vs ${median(rates.bare).toFixed(0)} a second`,
        },
        ratiosOf(rates.ours, rates.bare),
      ),
    ];
  },
};
