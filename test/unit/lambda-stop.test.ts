/** The last 300 ms of an instance on Lambda, and how it asks for them. */
import { describe, expect, it, vi } from 'vitest';
import { registerExtension } from '../../lib/shutdown/lambda-extension.ts';
import { stopInstance } from '../../lib/shutdown/lambda-stop.ts';

const metrics = (stored: boolean) => ({ hasStoredMetrics: () => stored, publishStoredMetrics: vi.fn() });

describe('an instance that is ended [K7]', () => {
  it('sends the metrics that are left, and closes', async () => {
    const close = vi.fn(async () => {});
    const left = metrics(true);
    await stopInstance({ close }, { metrics: left });
    expect(left.publishStoredMetrics).toHaveBeenCalledOnce();
    expect(close).toHaveBeenCalledOnce();
    const none = metrics(false);
    await stopInstance({ close }, { metrics: none });
    expect(none.publishStoredMetrics).not.toHaveBeenCalled();
  });

  it('does not wait for connections that do not close, and does not mind those that cannot', async () => {
    await stopInstance({ close: () => new Promise(() => {}) }, { metrics: metrics(false) });
    await stopInstance({ close: () => Promise.reject(new Error('away')) }, { metrics: metrics(false) });
  });
});

describe('registering for signals [K7]', () => {
  it('fails for nobody when there is nothing to register at', async () => {
    registerExtension('127.0.0.1:1');
    await new Promise((resolve) => setImmediate(resolve));
  });
});
