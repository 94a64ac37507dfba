/** What a tenant's choices and the deployment's settings make of its sessions. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../lib/config/config.ts';
import { EMPTY_CONTEXT, packContext, unpackContextData } from '../../lib/gate/context-format.ts';
import type { SessionChoices } from '../../lib/gate/session-choices.ts';
import { sessionSettings } from '../../lib/sessions/session-settings.ts';
import { sessionChoicesOf } from '../../lib/tenants/session-choices.ts';
import { SessionSettingsRequest } from '../../lib/tenants/session-contract.ts';

const DEPLOYMENT: Pick<Config, 'sessions' | 'spillover'> = {
  sessions: { timeoutMs: 1_800_000, maxLifetimeMs: 86_400_000, maxBytes: 1_048_576 },
  spillover: {
    maxMemoryBytes: 104_857_600,
    thresholdRatio: 0.8,
    intervalMs: 30_000,
    batchSize: 10,
    storageClass: 'STANDARD',
  },
};
const BY_DEFAULT = {
  timeoutMs: 1_800_000,
  maxLifetimeMs: 86_400_000,
  maxBytes: 1_048_576,
  thresholdRatio: 0.8,
  maxHotBytes: null,
};
const of = (sessions: SessionChoices) => sessionSettings({ sessions }, DEPLOYMENT);

describe('settings of sessions [S1 P6]', () => {
  it('are those of the deployment where the tenant chose nothing', () => {
    expect(of({})).toEqual(BY_DEFAULT);
  });

  it('are what the tenant chose, each by itself', () => {
    expect(of({ timeout_seconds: 60 })).toEqual({ ...BY_DEFAULT, timeoutMs: 60_000 });
    expect(of({ max_lifetime_seconds: 7_200 })).toEqual({ ...BY_DEFAULT, maxLifetimeMs: 7_200_000 });
    expect(of({ spill_threshold_ratio: 0.5 })).toEqual({ ...BY_DEFAULT, thresholdRatio: 0.5 });
    expect(of({ max_hot_bytes: 65_536 })).toEqual({ ...BY_DEFAULT, maxHotBytes: 65_536 });
  });

  it('live no longer than the deployment lets any session live', () => {
    expect(of({ max_lifetime_seconds: 86_401 })).toEqual(BY_DEFAULT);
    expect(of({ timeout_seconds: 90_000, max_lifetime_seconds: 100_000 })).toMatchObject({
      timeoutMs: 86_400_000,
      maxLifetimeMs: 86_400_000,
    });
  });

  it('are idle no longer than they live', () => {
    expect(of({ max_lifetime_seconds: 60 })).toMatchObject({ timeoutMs: 60_000, maxLifetimeMs: 60_000 });
  });
});

describe('what a tenant chooses of its sessions [A1 A4 S1 P6]', () => {
  const lifetime = fc.integer({ min: 1, max: 31_536_000 });
  const request = fc.record(
    {
      timeout_seconds: lifetime,
      max_lifetime_seconds: lifetime,
      spill_threshold_ratio: fc.double({ min: 0.1, max: 0.99, noNaN: true }),
      max_hot_bytes: fc.integer({ min: 65_536, max: 2 ** 40 }),
    },
    { requiredKeys: [] },
  );

  it('is taken as it is, and reaches an instance by way of the context', () => {
    fc.assert(
      fc.property(request, (asked) => {
        const { timeout_seconds: idle = 0, max_lifetime_seconds: whole = Number.POSITIVE_INFINITY } = asked;
        const parsed = SessionSettingsRequest.safeParse(asked);
        expect(parsed.success).toBe(idle <= whole);
        if (!parsed.success) return;
        expect(parsed.data).toEqual(asked);
        const context = packContext({ ...EMPTY_CONTEXT, sessions: sessionChoicesOf(parsed.data) });
        const { sessions } = unpackContextData(context);
        expect(sessions).toEqual(asked);
        const settings = sessionSettings({ sessions }, DEPLOYMENT);
        expect(settings.timeoutMs).toBeLessThanOrEqual(settings.maxLifetimeMs);
        expect(settings.maxLifetimeMs).toBeLessThanOrEqual(DEPLOYMENT.sessions.maxLifetimeMs);
        expect(settings.thresholdRatio).toBe(asked.spill_threshold_ratio ?? 0.8);
        expect(settings.maxHotBytes).toBe(asked.max_hot_bytes ?? null);
      }),
    );
  });

  it('is nothing where nothing is said', () => {
    for (const said of [undefined, {}, { timeout_seconds: undefined }]) expect(sessionChoicesOf(said)).toEqual({});
  });

  it.each([
    { timeout_seconds: 0 },
    { timeout_seconds: 1.5 },
    { timeout_seconds: '60' },
    { timeout_seconds: null },
    { timeout_seconds: 31_536_001 },
    { timeout_seconds: 2, max_lifetime_seconds: 1 },
    { max_lifetime_seconds: 0 },
    { max_lifetime_seconds: 31_536_001 },
    { spill_threshold_ratio: 0.09 },
    { spill_threshold_ratio: 0.991 },
    { spill_threshold_ratio: '0.5' },
    { max_hot_bytes: 65_535 },
    { max_hot_bytes: 1_000_000_000_000_001 },
    { max_hot_bytes: 65_536.5 },
    { timeout: 60 },
    [],
    null,
  ])('%j is refused', (asked) => {
    expect(SessionSettingsRequest.safeParse(asked).success).toBe(false);
  });
});
