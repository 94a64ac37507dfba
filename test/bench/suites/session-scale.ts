/** What Redis holds for a session besides what it was given, and reads of many sessions beside reads of few. */
import type { App } from '../../../lib/app.ts';
import type { Caller } from '../../../lib/gate/caller.ts';
import { metadataText } from '../../../lib/sessions/session-rules.ts';
import { startOwnRedis, usedMemory } from '../own-redis.ts';
import { measureLatency } from '../rounds.ts';
import { atMost, type Row, rowOf } from '../row.ts';
import { keysOfBench, startSessionTenant } from '../session-fill.ts';
import { dataBytesOf, SHAPE, sessionOf } from '../session-shape.ts';
import { median, ratiosOf } from '../statistics.ts';
import type { Suite } from '../suite.ts';

const FEW = 1_000;
const MANY = { default: 100_000, full: 1_000_000 } as const;
/** So that nothing is moved to S3. */
const ROOM = { PERSISTENCE_SPILLOVER_MAX_MEMORY_BYTES: '8GB' };

export const sessionScale: Suite = {
  name: 'session-scale',
  async run(bench) {
    const many = bench.isFull ? MANY.full : MANY.default;
    await using parts = new AsyncDisposableStack();
    const { app, redis } = await startOwnRedis({ ...bench.env.tcp, ...ROOM }, parts);
    const few = await startSessionTenant(app, { sessions: FEW });
    const fewIds = await few.fill(0, FEW);
    const grown = await startSessionTenant(app, { sessions: many });
    const first = await grown.fill(0, 1);
    const before = await usedMemory(redis);
    const ids = [...first, ...(await grown.fill(1, many))];
    const perSession = ((await usedMemory(redis)) - before) / (many - 1);
    await requireHot(app, grown.caller, ids);
    const sides = { few: reads(app, few.caller, fewIds), many: reads(app, grown.caller, ids) };
    const p50 = await measureLatency(sides);
    return [
      memoryRow(perSession, many),
      rowOf(
        {
          id: 'session-scale-read-p50',
          layer: 'lib',
          what: `Read of a session with ${count(many)} sessions vs with ${count(FEW)}, over all of them in turn, TCP, p50`,
          reach: atMost(1.1),
          unit: '×',
          detail: `${median(p50.many).toFixed(0)} vs ${median(p50.few).toFixed(0)} µs; ${SHAPE}, 1 KB, of one tenant`,
        },
        ratiosOf(p50.many, p50.few),
      ),
    ];
  },
};

function memoryRow(perSession: number, sessions: number): Row {
  const session = sessionOf(1);
  const { userId = '', metadata } = session;
  const givenBytes = dataBytesOf(session) + Buffer.byteLength(`${userId}${metadataText(metadata)}`);
  return rowOf(
    {
      id: 'session-memory',
      layer: 'lib',
      what: `Memory of Redis for each of ${count(sessions)} sessions besides what it was given`,
      reach: atMost(900),
      unit: 'B',
      detail: `used_memory, less ${givenBytes} bytes of data keys and texts, metadata and user id; ${SHAPE}, 1 KB`,
    },
    [perSession - givenBytes],
  );
}

/** Each call is of another session, far from the last one. */
function reads({ sessions }: App, caller: Caller, ids: readonly string[]) {
  let turn = 0;
  return async () => {
    turn = (turn + 7_919) % ids.length;
    if ((await sessions.get(caller, ids[turn] as string)) === null) throw new Error('A session was lost');
  };
}

/** @throws {Error} some are not in Redis, where their memory was measured. */
async function requireHot(app: App, { tenantId }: Caller, ids: readonly string[]): Promise<void> {
  const { redis } = app;
  const listed = await redis.send(['ZLEXCOUNT', keysOfBench(app).index(tenantId, 1), '[r\0', '(r\x01'], {
    kind: 'read',
  });
  if (listed !== ids.length) throw new Error(`${listed} of ${ids.length} sessions are hot`);
}

const count = (value: number) => value.toLocaleString('en');
