/** How far the demo is: bars on a terminal, a line for every quarter elsewhere, nothing when a program reads along. */
import { MultiBar } from 'cli-progress';

export interface Progress {
  /** A document of one tenant went through one pass. */
  advance(tenant: string, pass: string): void;
  stop(): void;
}

export interface ProgressOptions {
  readonly tenants: readonly string[];
  /** Of each tenant: documents times passes. */
  readonly total: number;
}

export const noProgress: Progress = { advance() {}, stop() {} };

/** On stderr: bars when it is a terminal, else lines. */
export function createProgress(options: ProgressOptions): Progress {
  const stream = process.stderr;
  return stream.isTTY ? bars(stream, options) : lines(stream, options);
}

function bars(stream: NodeJS.WriteStream, { tenants, total }: ProgressOptions): Progress {
  const format = '  Tenant {tenant}  {bar}  {value}/{total}  {pass}';
  // Ctrl-C is the demo's own business.
  const all = new MultiBar({ stream, format, hideCursor: true, gracefulExit: false, barsize: 32, fps: 10 });
  const bar = new Map(tenants.map((tenant) => [tenant, all.create(total, 0, { tenant, pass: '' })]));
  return {
    advance: (tenant, pass) => bar.get(tenant)?.increment(1, { pass }),
    stop: () => all.stop(),
  };
}

function lines(stream: NodeJS.WriteStream, { tenants, total }: ProgressOptions): Progress {
  const done = new Map(tenants.map((tenant) => [tenant, 0]));
  return {
    advance(tenant, pass) {
      const before = done.get(tenant) ?? 0;
      done.set(tenant, before + 1);
      const quarter = Math.floor(((before + 1) * 4) / total);
      if (quarter > Math.floor((before * 4) / total)) stream.write(`Tenant ${tenant}: ${quarter * 25} % (${pass})\n`);
    },
    stop() {},
  };
}
