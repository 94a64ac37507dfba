/** Problems as examples: made as the door makes them, so the page cannot show what is never sent. */
import { AppError } from '../errors.ts';
import { problemOf } from '../http/problem.ts';
import { findProblemCode } from './problem-codes.ts';

/** Stands in for the error of a code. Never thrown. */
class ExampleError extends AppError {
  override readonly code: string;
  override readonly status: number;

  constructor(code: string, status: number, message: string) {
    const issues = [{ field: 'query.ttl_seconds', message: 'must be a whole number of seconds, or never' }];
    super(message, code === 'invalid_request' ? { issues } : {});
    this.code = code;
    this.status = status;
  }
}

/** The problem of a code, as it is answered. */
export function exampleProblem(code: string): unknown {
  const { status, meaning } = findProblemCode(code) ?? { status: 500, meaning: 'A fault on our side.' };
  return problemOf(new ExampleError(code, status, meaning.replaceAll('`', '')), 'JKJaXmPLvHcESHA=').data;
}
