import { describe, expect, it } from 'vitest';
import {
  ConfigError,
  InvalidRequestError,
  NotFoundError,
  QuotaExceededError,
  RedisUnavailableError,
  UnauthorizedError,
} from '../../lib/errors.ts';
import { problemOf } from '../../lib/http/problem.ts';

describe('a problem [A14]', () => {
  it('tells what happened, to a program and to a person', () => {
    const { status, headers, data } = problemOf(new NotFoundError('entry_not_found', 'No such entry'), 'r-1');
    expect(status).toBe(404);
    expect(headers).toEqual({ 'content-type': 'application/problem+json', 'riptide-problem': 'entry_not_found' });
    expect(data).toEqual({
      type: 'urn:riptide:problem:entry_not_found',
      title: 'Not found',
      status: 404,
      detail: 'No such entry',
      code: 'entry_not_found',
      request_id: 'r-1',
    });
  });

  it('names every bad field, and facts such as a limit', () => {
    const issues = [{ field: 'body.name', message: 'too long' }];
    expect(problemOf(new InvalidRequestError('No', { issues }), 'r').data).toMatchObject({ errors: issues });
    const full = new QuotaExceededError('Full', { details: { limit: 3 }, retryAfterMs: 1_001 });
    expect(problemOf(full, 'r')).toMatchObject({ data: { details: { limit: 3 } }, headers: { 'retry-after': '2' } });
  });

  it('says when to come back: in one second at the earliest', () => {
    const at = (retryAfterMs: number) => problemOf(new RedisUnavailableError('Down', { retryAfterMs }), 'r').headers;
    expect([0, 1, 1_000, 1_500].map((ms) => at(ms)?.['retry-after'])).toEqual(['1', '1', '1', '2']);
  });

  it('asks for a key where none was good', () => {
    expect(problemOf(new UnauthorizedError('key_expired'), 'r').headers?.['www-authenticate']).toBe(
      'Bearer realm="riptide"',
    );
  });

  it('tells nobody what is wrong with the configuration', () => {
    const issues = [{ field: 'redis.url', message: 'expected …; set by REDIS_URL' }];
    const told = problemOf(new ConfigError('The configuration cannot be used:\n  redis.url: …', { issues }), 'r');
    expect(told).toMatchObject({ status: 500, data: { code: 'config_invalid' } });
    expect(JSON.stringify(told)).not.toMatch(/redis/i);
  });

  it('hides what was not thrown on purpose', () => {
    const failures = [
      new TypeError('secret'),
      new Error('secret', { cause: 'secret' }),
      'secret',
      { code: 'secret' },
      null,
    ];
    for (const failure of failures) {
      const problem = problemOf(failure, 'r');
      expect(problem).toMatchObject({ status: 500, data: { code: 'internal' } });
      expect(JSON.stringify(problem)).not.toContain('secret');
    }
  });
});
