import { describe, expect, it } from 'vitest';
import { CallFailedError } from '../../lib/client/call-failed-error.ts';

const problem = {
  code: 'invalid_request',
  title: 'Bad request',
  detail: 'It does not fit',
  status: 400,
  request_id: 'r',
};
const failure = (errors?: { field: string; message: string }[]) =>
  new CallFailedError({ ok: false, status: 400, problem: { ...problem, errors }, headers: new Headers() });

describe('a call that failed, thrown', () => {
  it('says what was refused, and of which field', () => {
    expect(failure().message).toBe('It does not fit');
    const errors = [
      { field: 'body.user_id', message: 'must be text' },
      { field: 'body.data', message: 'must be an object' },
    ];
    expect(failure(errors)).toMatchObject({
      code: 'invalid_request',
      status: 400,
      message: 'It does not fit; body.user_id must be text; body.data must be an object',
    });
  });
});
