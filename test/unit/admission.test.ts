import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rateHeaders, unpackAdmission } from '../../lib/gate/admission.ts';

const count = fc.nat(60_000_000);

describe('what a caller is told of its limits [T5]', () => {
  it('is read as the script writes it', () => {
    expect(unpackAdmission('100,99,60,1000,999,12345')).toEqual({
      burst: 100,
      burstLeft: 99,
      burstResetMs: 60,
      perMinute: 1_000,
      minuteLeft: 999,
      minuteResetMs: 12_345,
    });
  });

  it.each(['', '1,2,3', '1,2,3,4,5,6,7'])('%j is not an admission', (text) => {
    expect(() => unpackAdmission(text)).toThrow(RangeError);
  });

  it('never says that less than nothing is left, after limits were lowered', () => {
    expect(unpackAdmission('4,-3,900,10,-5,1')).toMatchObject({ burstLeft: 0, minuteLeft: 0 });
  });

  it('is said in both headers, times in whole seconds rounded up', () => {
    expect(rateHeaders(unpackAdmission('100,99,60,1000,999,12345'))).toEqual({
      'ratelimit-policy': '"burst";q=100;w=6, "minute";q=1000;w=60',
      ratelimit: '"burst";r=99;t=1, "minute";r=999;t=13',
    });
  });

  it('has a window of a minute when nothing may pass', () => {
    const headers = rateHeaders(unpackAdmission('0,0,0,0,0,60000'));
    expect(headers['ratelimit-policy']).toBe('"burst";q=0;w=60, "minute";q=0;w=60');
  });

  it('is a structured field of non-negative integers, whatever the limits', () => {
    const item = '"(?:burst|minute)";[qr]=\\d+;[wt]=\\d+';
    const list = new RegExp(`^${item}, ${item}$`);
    fc.assert(
      fc.property(fc.array(count, { minLength: 6, maxLength: 6 }), (numbers) => {
        const { ratelimit, 'ratelimit-policy': policy } = rateHeaders(unpackAdmission(numbers.join(',')));
        expect(ratelimit).toMatch(list);
        expect(policy).toMatch(list);
        expect(policy).not.toContain(';w=0');
      }),
    );
  });
});
