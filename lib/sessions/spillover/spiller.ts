/**
 * Moves sessions of a tenant to S3: they are claimed and read, their objects written, stubs put in their places. Each step may be
 * the last one: a session is where it was until its stub is there, and an object no stub names is collected.
 */
import { randomBytes } from 'node:crypto';
import type { SpilloverConfig } from '../../config/config.ts';
import type { Telemetry } from '../../metrics/telemetry.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import type { ColdestSessions, FoundSession } from './coldest-sessions.ts';
import type { SpillSteps, WrittenSession } from './spill-steps.ts';

/** In a row, without one that could be moved. */
const MAX_IDLE_BATCHES = 3;

export interface Spilled {
  /** Sessions moved. */
  readonly spilled: number;
  /** They were charged, bytes. */
  readonly freedBytes: number;
  /** Of their objects. */
  readonly objectBytes: number;
  /** Bytes of hot sessions the tenant has then; null: nothing was moved. */
  readonly hotBytes: number | null;
  /** Not moved: used or changed meanwhile, claimed by somebody else, or gone. */
  readonly passedOver: number;
  /** Not moved: the tenant's storage is full. */
  readonly storageFull: boolean;
}

const NOTHING: Spilled = {
  spilled: 0,
  freedBytes: 0,
  objectBytes: 0,
  hotBytes: null,
  passedOver: 0,
  storageFull: false,
};

export type Spiller = ReturnType<typeof createSpiller>;

export function createSpiller(deps: {
  readonly config: Pick<SpilloverConfig, 'batchSize'>;
  readonly coldest: ColdestSessions;
  readonly steps: SpillSteps;
  readonly telemetry: Pick<Telemetry, 'count'>;
}) {
  const { config, coldest, steps, telemetry } = deps;

  /**
   * Moves these sessions, if they are still as they were found. Two round trips, and their objects at once.
   * @throws {BlobUnavailableError} none of their objects could be written: they are as they were.
   */
  const spill = async (place: TenantPlace, found: readonly FoundSession[]): Promise<Spilled> => {
    if (found.length === 0) return NOTHING;
    const startedAt = performance.now();
    const token = randomBytes(6).toString('hex');
    const { untilMs, claimed } = await steps.claim(place, found, token);
    const settled = await Promise.allSettled(claimed.map((one) => steps.write(place, one)));
    const written = claimed.map((one, i): WrittenSession => {
      const outcome = settled[i];
      return { ...one, object: outcome?.status === 'fulfilled' ? outcome.value : null };
    });
    if (written.length === 0) return { ...NOTHING, passedOver: found.length };
    const how = { token, untilMs, startedAt };
    const failed = settled.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined && written.every(({ object }) => object === null)) {
      await steps.stub(place, written, how).catch(() => null);
      throw failed.reason;
    }
    const { hotBytes, outcomes } = await steps.stub(place, written, how);
    const moved = written.filter((_one, i) => outcomes[i] === STUBBED);
    if (moved.length > 0) telemetry.count('riptide_spillover_operations_total');
    return {
      spilled: moved.length,
      freedBytes: moved.reduce((sum, { session }) => sum + session.head.chargedBytes, 0),
      objectBytes: moved.reduce((sum, { object }) => sum + (object?.bytes.length ?? 0), 0),
      hotBytes,
      passedOver: found.length - moved.length,
      storageFull: outcomes.includes(STORAGE_FULL),
    };
  };

  return {
    spill,

    /**
     * Moves the tenant's coldest sessions, batch by batch, until it has at most so many hot bytes or nothing more can be moved.
     * @throws {BlobUnavailableError} some may have been moved.
     */
    async spillTo(
      place: TenantPlace,
      hotBytes: number,
      { maxBatches }: { readonly maxBatches: number },
    ): Promise<Spilled> {
      let sum = NOTHING;
      let after: FoundSession | undefined;
      let idle = 0;
      for (let batch = 0; batch < maxBatches && idle < MAX_IDLE_BATCHES && !place.signal?.aborted; batch++) {
        const found = await coldest.find(place, config.batchSize, after);
        if (found.length === 0) break;
        const now = await spill(place, found);
        sum = add(sum, now);
        // Those that could not be moved stand first the next time.
        if (now.passedOver > 0) after = found.at(-1);
        idle = now.spilled === 0 ? idle + 1 : 0;
        if (now.storageFull || (now.hotBytes !== null && now.hotBytes <= hotBytes)) break;
      }
      return sum;
    },
  };
}

/** Outcomes of one. */
const STUBBED = '1';
const STORAGE_FULL = '2';

const add = (one: Spilled, other: Spilled): Spilled => ({
  spilled: one.spilled + other.spilled,
  freedBytes: one.freedBytes + other.freedBytes,
  objectBytes: one.objectBytes + other.objectBytes,
  hotBytes: other.hotBytes ?? one.hotBytes,
  passedOver: one.passedOver + other.passedOver,
  storageFull: one.storageFull || other.storageFull,
});
