import { describe, expect, it } from 'vitest';
import { readBenchOptions, USAGE } from '../bench/options.ts';

describe('the options of npm run bench', () => {
  it('are three runs of everything, unless said otherwise', () => {
    expect(readBenchOptions([])).toEqual({ runs: 3, only: '', isFull: false });
    expect(readBenchOptions(['--runs', '1', '--only', 'tcp'])).toEqual({
      runs: 1,
      only: 'tcp',
      isFull: false,
    });
  });

  it('say whether amounts of data are the largest', () => {
    expect(readBenchOptions(['--full'])).toEqual({ runs: 3, only: '', isFull: true });
  });

  it('may be asked for', () => {
    expect(readBenchOptions(['--help'])).toBeNull();
  });

  it.each([['--run'], ['--runs', '0'], ['--runs', 'two'], ['--runs', '10'], ['tcp']])(
    'are told after %s %s',
    (...args) => {
      expect(() => readBenchOptions(args.filter((arg) => arg !== undefined))).toThrow(USAGE);
    },
  );
});
