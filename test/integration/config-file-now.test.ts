import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFileNow } from '../../lib/runtime-config/read-file-now.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'riptide-file-'));
});
afterAll(() => rm(dir, { recursive: true }));

describe('a file that is read again [K6]', () => {
  it('is read as it is now, and refused where it is gone, a folder or a pipe, which would be waited for', async () => {
    const [file, pipe] = [join(dir, 'file.yml'), join(dir, 'pipe.yml')];
    await writeFile(file, 'persistence:');
    execFileSync('mkfifo', [pipe]);
    expect(await readFileNow(file)).toBe('persistence:');
    for (const path of [join(dir, 'nothing'), dir, pipe]) await expect(readFileNow(path)).rejects.toThrow();
  });
});
