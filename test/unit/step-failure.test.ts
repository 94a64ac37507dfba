import { describe, expect, it } from 'vitest';
import {
  BlobUnavailableError,
  DeadlineError,
  KeyRefusedError,
  NotFoundError,
  RateLimitedError,
} from '../../lib/errors.ts';
import { afterFailure, MAX_ATTEMPTS } from '../../lib/jobs/step-failure.ts';

describe('what follows from a step that failed [K4]', () => {
  it.each([new BlobUnavailableError('away'), new DeadlineError('late'), new RateLimitedError('slow')])(
    'another try after $code, until the fifth',
    (error) => {
      const waits = Array.from({ length: MAX_ATTEMPTS }, (_, i) => afterFailure(error, i + 1));
      expect(waits.slice(0, -1)).toEqual(
        [5_000, 20_000, 80_000, 320_000].map((delayMs) => ({ kind: 'wait', delayMs })),
      );
      expect(waits.at(-1)).toEqual({ kind: 'fail', problem: { code: error.code, detail: error.message } });
    },
  );

  it.each([new NotFoundError('tenant_not_found', 'gone'), new KeyRefusedError('destroyed', 'gone')])(
    'none after $code',
    (error) => {
      expect(afterFailure(error, 1)).toEqual({ kind: 'fail', problem: { code: error.code, detail: 'gone' } });
    },
  );

  it.each([new Error('tenant value'), 'tenant value', undefined])(
    'nothing is told of what may say anything',
    (error) => {
      const { kind, problem } = afterFailure(error, 1) as { kind: string; problem: { code: string; detail: string } };
      expect({ kind, code: problem.code }).toEqual({ kind: 'fail', code: 'internal' });
      expect(problem.detail).not.toContain('tenant value');
    },
  );
});
