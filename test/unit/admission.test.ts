import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rateHeaders, readAdmission } from '../../lib/gate/admission.ts';

const OPERATION = 60_000_000;
/** One of 100 used, one of the minute's 1,000, 12.345 s before the next. */
const TOLD = [0, OPERATION, 1, 47_655, '1000', '100'];

describe('what a caller is told of its limits [T5]', () => {
  it('is read as the script tells it, from any place in the reply', () => {
    const limits = {
      burst: 100,
      burstLeft: 99,
      burstResetMs: 60,
      perMinute: 1_000,
      minuteLeft: 999,
      minuteResetMs: 12_345,
      own: [],
    };
    expect(readAdmission(TOLD, 1)).toEqual(limits);
    expect(readAdmission([6, 250, ...TOLD.slice(1)], 2)).toEqual(limits);
  });

  it.each([[[]], [[0, 1, 2]], [[0, 'x', 1, 2, '3', '4']], [[0, 1, 2, 3, 'x', '5']]])(
    '%j is not an admission',
    (reply) => {
      expect(() => readAdmission(reply, 1)).toThrow(RangeError);
    },
  );

  it('never says that less than nothing is left, after limits were lowered', () => {
    expect(readAdmission([0, 7 * OPERATION, 15, 1, '10', '4'], 1)).toMatchObject({ burstLeft: 0, minuteLeft: 0 });
  });

  it('is said in both headers, times in whole seconds rounded up', () => {
    expect(rateHeaders(readAdmission(TOLD, 1))).toEqual({
      'ratelimit-policy': '"burst";q=100;w=6, "minute";q=1000;w=60',
      ratelimit: '"burst";r=99;t=1, "minute";r=999;t=13',
    });
  });

  it("names the limits of the key's and the route's own, where there are any", () => {
    const told = [...TOLD, `key,${2 * OPERATION},60,10;route,0,600,20;`];
    expect(readAdmission(told, 1).own).toEqual([
      { name: 'key', perMinute: 60, burst: 10, burstLeft: 8, burstResetMs: 2_000 },
      { name: 'route', perMinute: 600, burst: 20, burstLeft: 20, burstResetMs: 0 },
    ]);
    expect(rateHeaders(readAdmission(told, 1))).toEqual({
      'ratelimit-policy': '"burst";q=100;w=6, "key";q=10;w=10, "route";q=20;w=2, "minute";q=1000;w=60',
      ratelimit: '"burst";r=99;t=1, "key";r=8;t=2, "route";r=20;t=0, "minute";r=999;t=13',
    });
  });

  it('has a window of a minute when nothing may pass', () => {
    const headers = rateHeaders(readAdmission([7, 0, 0, 0, '0', '0'], 1));
    expect(headers['ratelimit-policy']).toBe('"burst";q=0;w=60, "minute";q=0;w=60');
  });

  it('is a structured field of non-negative integers, whatever the limits', () => {
    const item = '"(?:burst|minute)";[qr]=\\d+;[wt]=\\d+';
    const list = new RegExp(`^${item}, ${item}$`);
    const count = fc.nat(60_000_000);
    fc.assert(
      fc.property(fc.nat(), count, fc.nat(), count, count, (level, minuteOps, nowMs, perMinute, burst) => {
        const told = [0, level * 1_000, minuteOps, nowMs, String(perMinute), String(burst)];
        const { ratelimit, 'ratelimit-policy': policy } = rateHeaders(readAdmission(told, 1));
        expect(ratelimit).toMatch(list);
        expect(policy).toMatch(list);
        expect(policy).not.toContain(';w=0');
      }),
    );
  });
});
