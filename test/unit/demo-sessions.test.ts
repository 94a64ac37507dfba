import { describe, expect, it } from 'vitest';
import { phasesOf } from '../../infra/demo/report-sessions.ts';
import { drawLevels, drawSparkline } from '../../infra/demo/tour/sessions/chart.ts';
import { type Look, movesOf, peakBytes, toMoments } from '../../infra/demo/tour/sessions/memory-history.ts';
import { documentBytes, sampleSession } from '../../infra/demo/tour/sessions/texts.ts';

const NONE = { sessions: 0, operations: 0, totalMs: 0 };
const look = (at_ms: number, hot_bytes: number, more: Partial<Look> = {}): Look => ({
  ...{ at_ms, hot_bytes, phase: 'begin', hot: 1, cold: 0, cold_bytes: 0, spills: NONE, restores: NONE },
  ...more,
});

describe('what the demo makes of its looks at the session memory [P1 P2 P6]', () => {
  it('keeps the fullest look of each part of the time, and the one before where there was none', () => {
    const looks = [look(0, 10), look(10, 90), look(20, 30), look(95, 40), look(100, 50)];
    expect(toMoments(looks, 4).map(({ hot_bytes }) => hot_bytes)).toEqual([90, 90, 90, 50]);
  });

  it('has no moments without a look, and all the same ones of a single look', () => {
    expect(toMoments([], 3)).toEqual([]);
    expect(toMoments([look(5, 7)], 3).map(({ hot_bytes }) => hot_bytes)).toEqual([7, 7, 7]);
  });

  it('finds the peak', () => {
    expect(peakBytes([look(0, 3), look(1, 9), look(2, 4)])).toBe(9);
    expect(peakBytes([])).toBe(0);
  });

  it('counts moves from the first look on, and ranks the averages of the intervals that had some', () => {
    const spills = [
      { sessions: 100, operations: 10, totalMs: 500 },
      { sessions: 110, operations: 11, totalMs: 510 },
      { sessions: 110, operations: 11, totalMs: 510 },
      { sessions: 150, operations: 15, totalMs: 630 },
    ];
    const looks = spills.map((counters, n) => look(n, 0, { spills: counters }));
    expect(movesOf(looks, 'spill')).toEqual({
      ...{ move: 'spill', sessions: 50, operations: 5, avg_ms: 26, p50_ms: 10, p95_ms: 30 },
    });
    const none = { move: 'restore', sessions: 0, operations: 0, avg_ms: 0, p50_ms: null, p95_ms: null };
    expect(movesOf(looks, 'restore')).toEqual(none);
    expect(movesOf([], 'restore')).toEqual(none);
  });
});

describe('the picture of the session memory [P2]', () => {
  const marks = [
    { level: 1, label: 'all' },
    { level: 0.5, label: 'half' },
  ];

  it('draws columns from the bottom, in eighths, and the lines of the marks where no column hides them', () => {
    expect(drawLevels([0, 0.125, 0.5, 0.75, 1], 4, marks)).toEqual([
      ' all ┤┄┄┄┄█',
      '     │   ██',
      'half ┤┄┄███',
      '     │ ▄███',
    ]);
  });

  it('shows the least there is, and what is over the top in a row of its own', () => {
    expect(drawLevels([0.0001, 1.25], 2, marks)).toEqual(['     │ ▄', ' all ┤┄█', 'half ┤▁█']);
  });

  it('draws a line of values beside the largest', () => {
    expect(drawSparkline([0, 1, 500, 1_000])).toBe(' ▁▄█');
    expect(drawSparkline([])).toBe('');
  });

  it('names each phase where it begins, as far as there is room', () => {
    const phases = ['begin', 'begin', 'begin', 'begin', 'begin', 'begin', 'rest', 'read', 'read'];
    expect(phasesOf(phases)).toBe('begin rest');
    expect(phasesOf([])).toBe('');
  });
});

describe('what the sessions of the demo hold [S1]', () => {
  const texts = [
    { path: 'a', text: 'ä', bytes: 2 },
    { path: 'b', text: 'bbb', bytes: 3 },
  ];

  it('goes round the documents and the users', () => {
    expect(sampleSession(texts, 3, 5)).toEqual({
      userId: 'user-3',
      data: { n: 3, document: { path: 'b', text: 'bbb' } },
    });
    expect(sampleSession(texts, 5, 5).userId).toBe('user-0');
  });

  it('counts the bytes of the documents in all of them', () => {
    expect(documentBytes(texts, 5)).toBe(2 + 3 + 2 + 3 + 2);
  });
});
