import { afterEach, describe, expect, it, vi } from 'vitest';
import { NotFoundError, StorageFullError } from '../../lib/errors.ts';
import type { HttpEvent, HttpReply } from '../../lib/http/event.ts';
import { problemReplies } from '../../lib/http/problem-replies.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';

afterEach(() => vi.restoreAllMocks());

/** The level at which the door tells of `error`. */
async function levelOf(error: Error): Promise<string | undefined> {
  const told: string[] = [];
  for (const level of ['info', 'error'] as const)
    vi.spyOn(telemetry.logger, level).mockImplementation(() => void told.push(level));
  const request = {
    event: {} as HttpEvent,
    context: {} as never,
    response: null as HttpReply | null,
    error,
    internal: {},
  };
  await problemReplies({ name: 'getEntry' }).onError?.(request as never);
  return told.join();
}

describe('what the log says of a problem [A14]', () => {
  it('is no error where a tenant is refused, also one that has filled its quota', async () => {
    expect(await levelOf(new NotFoundError('entry_not_found', 'No such entry'))).toBe('info');
    for (const code of ['memory_full', 'storage_full'] as const)
      expect(await levelOf(new StorageFullError(code, 'Full'))).toBe('info');
  });

  it('names the endpoint: several share a log', async () => {
    const told = vi.spyOn(telemetry.logger, 'info').mockImplementation(() => undefined);
    const request = { event: {}, error: new NotFoundError('entry_not_found', 'No such entry') };
    await problemReplies({ name: 'getEntry' }).onError?.(request as never);
    expect(told).toHaveBeenCalledWith('Refused', expect.objectContaining({ route: 'getEntry', request_id: 'none' }));
  });

  it('is an error where the service is at fault: Redis is full, or there is a bug', async () => {
    expect(await levelOf(new StorageFullError('store_full', 'Redis is out of memory'))).toBe('error');
    expect(await levelOf(new TypeError('a bug'))).toBe('error');
  });
});
