import { describe, expect, it } from 'vitest';
import { createFlights } from '../../lib/cache/loading/flights.ts';

describe('work under way in an instance [C7]', () => {
  it('is found by its name until it ends, and gives all the same outcome', async () => {
    const flights = createFlights<string>();
    const end = Promise.withResolvers<string>();
    const flight = flights.start('a', () => end.promise);
    expect([flights.find('a'), flights.find('b')]).toEqual([flight, undefined]);
    const joined = [flight.join(), flight.join(new AbortController().signal)];
    end.resolve('done');
    expect(await Promise.all(joined)).toEqual(['done', 'done']);
    expect(flights.find('a')).toBeUndefined();
  });

  it('fails for all who joined, and for nobody else', async () => {
    const flights = createFlights<string>();
    const flight = flights.start('a', async () => {
      throw new Error('failed');
    });
    await expect(flight.join()).rejects.toThrow('failed');
    expect(await flights.start('a', async () => 'again').join()).toBe('again');
  });

  it('gives its name to later work at once, whichever ends first', async () => {
    const flights = createFlights<string>();
    const ends = [Promise.withResolvers<string>(), Promise.withResolvers<string>()] as const;
    const first = flights.start('a', () => ends[0].promise);
    const second = flights.start('a', () => ends[1].promise);
    ends[0].resolve('first');
    expect(await first.join()).toBe('first');
    expect(flights.find('a')).toBe(second);
  });

  it('is given up, and not joined any more, when all who joined have given up', async () => {
    const flights = createFlights<string>();
    const callers = [new AbortController(), new AbortController()] as const;
    const signals: AbortSignal[] = [];
    const flight = flights.start('a', async (signal) => {
      signals.push(signal);
      return new Promise(() => {});
    });
    const codes = callers.map(({ signal }) => flight.join(signal).catch((error) => error.code));
    await Promise.resolve();
    callers[0].abort();
    expect([await codes[0], signals[0]?.aborted, flights.find('a')]).toEqual(['deadline_exceeded', false, flight]);
    callers[1].abort();
    expect([await codes[1], signals[0]?.aborted, flights.find('a')]).toEqual(['deadline_exceeded', true, undefined]);
  });

  it('goes on for who has no deadline', async () => {
    const flights = createFlights<string>();
    const caller = new AbortController();
    const end = Promise.withResolvers<string>();
    const flight = flights.start('a', () => end.promise);
    const [patient, hasty] = [flight.join(), flight.join(caller.signal).catch((error) => error.code)];
    caller.abort();
    end.resolve('done');
    expect([await patient, await hasty]).toEqual(['done', 'deadline_exceeded']);
  });
});
