import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { takeLock } from '../../infra/local/data/lock.ts';
import { processStart } from '../../infra/local/data/process-identity.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'riptide-lock-'));
});
afterEach(() => rm(dir, { recursive: true }));

const writeLock = (text: string) => writeFile(join(dir, 'lock'), text);
const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid;

describe('the lock of a data folder [K7]', () => {
  it('is held by one, until it is released', async () => {
    const lock = await takeLock(dir);
    await expect(takeLock(dir)).rejects.toThrow(`already runs on ${dir} (process ${process.pid})`);
    await lock.release();
    const next = await takeLock(dir);
    await next.release();
    expect(await readdir(dir)).toEqual([]);
  });

  it.each([
    ['of a process that is gone', () => JSON.stringify({ pid: deadPid(), start: '1' })],
    ['of a process whose id another has now', () => JSON.stringify({ pid: process.pid, start: 'earlier' })],
    ['that is no lock', () => '{"pid":'],
  ])('is taken over when it is one %s', async (_what, text) => {
    await writeLock(text());
    await takeLock(dir);
    await expect(takeLock(dir)).rejects.toThrow(/already runs/);
  });

  it('goes to exactly one of many that find a stale one', async () => {
    for (let round = 0; round < 20; round++) {
      await writeLock(JSON.stringify({ pid: process.pid, start: `earlier ${round}` }));
      const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => takeLock(dir)));
      const winners = outcomes.filter((outcome) => outcome.status === 'fulfilled');
      expect(winners).toHaveLength(1);
      await winners[0]?.value.release();
    }
    expect(await readdir(dir)).toEqual([]);
  });

  it('is not stopped by a take-over that was killed half-way', async () => {
    await writeLock(JSON.stringify({ pid: deadPid(), start: '1' }));
    await writeFile(join(dir, 'lock.takeover'), '');
    const lock = await takeLock(dir);
    await lock.release();
  });

  it('is not kept by a killed process that nobody has asked after yet, as in a container without an init', async () => {
    const careless = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const pid = Number(await new Promise((resolve) => careless.stdout.once('data', resolve)));
      await vi.waitUntil(() => processStart(pid) === undefined, { timeout: 5_000 });
      expect(process.kill(pid, 0)).toBe(true);
    } finally {
      careless.kill();
    }
  });

  it('tells processes apart by their start', () => {
    expect(processStart(process.pid)).toBe(processStart(process.pid));
    expect(processStart(process.ppid)).not.toBe(processStart(process.pid));
    expect(processStart(deadPid())).toBeUndefined();
  });
});
