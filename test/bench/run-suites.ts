/** Runs the suites one after the other, and says on the terminal how far it is. */

import { LocalServiceError } from '../../lib/errors.ts';
import type { BenchOptions } from './options.ts';
import { type Machine, machine } from './results-file.ts';
import type { Row } from './row.ts';
import { startBench } from './setup.ts';
import type { Suite } from './suite.ts';
import { cacheCalls } from './suites/cache-calls.ts';
import { cacheGetOrSet } from './suites/cache-get-or-set.ts';
import { cacheInvalidation } from './suites/cache-invalidation.ts';
import { cacheMemory } from './suites/cache-memory.ts';
import { cachePeers } from './suites/cache-peers.ts';
import { cacheReads } from './suites/cache-reads.ts';
import { cacheStampede } from './suites/cache-stampede.ts';
import { cacheWrites } from './suites/cache-writes.ts';
import { clients } from './suites/clients.ts';
import { coldStart } from './suites/cold-start.ts';
import { compression } from './suites/compression.ts';
import { encryption } from './suites/encryption.ts';
import { handlerCpu } from './suites/handler-cpu.ts';
import { httpHost } from './suites/http-host.ts';
import { innerCalls } from './suites/inner-calls.ts';
import { operations } from './suites/operations.ts';
import { quotaCheck } from './suites/quota-check.ts';
import { restRead } from './suites/rest-read.ts';
import { sessionBudget } from './suites/session-budget.ts';
import { sessionCalls } from './suites/session-calls.ts';
import { sessionForeground } from './suites/session-foreground.ts';
import { sessionScale } from './suites/session-scale.ts';
import { sessionSpill } from './suites/session-spill.ts';
import { stateCheckpoints } from './suites/state-checkpoints.ts';
import { stateConfig } from './suites/state-config.ts';
import { stateFeed } from './suites/state-feed.ts';
import { stateRestores } from './suites/state-restores.ts';
import { stateScale } from './suites/state-scale.ts';
import { tcpRead } from './suites/tcp-read.ts';
import { tenants } from './suites/tenants.ts';

const SUITES: readonly Suite[] = [
  innerCalls,
  restRead,
  tcpRead,
  handlerCpu,
  coldStart,
  httpHost,
  operations,
  quotaCheck,
  clients,
  compression,
  tenants,
  encryption,
  cacheReads,
  cacheInvalidation,
  cacheWrites,
  cacheCalls,
  cacheMemory,
  cachePeers,
  cacheGetOrSet,
  cacheStampede,
  sessionCalls,
  sessionScale,
  sessionSpill,
  sessionForeground,
  sessionBudget,
  stateFeed,
  stateCheckpoints,
  stateScale,
  stateRestores,
  stateConfig,
];

/**
 * Runs the suites whose name contains `only`, each `runs` times, on one set of servers.
 * @returns the rows of each run.
 * @throws {LocalServiceError} no suite has such a name.
 * @throws {Error} a suite broke.
 */
export async function runSuites({ runs, only, isFull }: BenchOptions) {
  const suites = SUITES.filter(({ name }) => name.includes(only));
  if (suites.length === 0)
    throw new LocalServiceError(`No suite "${only}". There are: ${SUITES.map(({ name }) => name).join(', ')}`);
  const bench = await startBench({ isFull });
  try {
    const rows: (readonly Row[])[] = [];
    for (let run = 1; run <= runs; run++) {
      const ofRun: Row[] = [];
      for (const [done, suite] of suites.entries()) {
        progress(`run ${run} of ${runs} · ${done + 1} of ${suites.length} · ${suite.name}`);
        ofRun.push(...(await suite.run(bench)));
      }
      rows.push(ofRun);
    }
    progress('');
    const facts: Machine = machine(await bench.raw.tcp.info('server'));
    return { rows, machine: facts };
  } finally {
    await bench.stop();
  }
}

/** One line that is written over on a terminal; a line of its own elsewhere. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
  else if (text !== '') process.stderr.write(`${text}\n`);
}
