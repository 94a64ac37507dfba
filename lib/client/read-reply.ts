/** Turns an answer into an outcome: checked against its contract, so that what is typed is what came. */
import { Problem } from '../docs/problem.ts';
import type { Contract, ReplySpec } from '../http/contract.ts';
import type { Failure } from './call.ts';
import { bodilessFailure, retryAfter, unexpectedReply } from './failure.ts';

/** A reply whose types are no longer known. */
export interface AnyReply {
  readonly ok: true;
  readonly status: number;
  readonly headers: Headers;
  readonly data?: unknown;
  readonly bytes?: Uint8Array;
  readonly contentType?: string;
}

/** @throws whatever fetch throws while the body arrives. */
export async function readReply(contract: Contract, response: Response): Promise<AnyReply | Failure> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const spec = contract.replies[response.status];
  // A stored value may be of any type, even a problem's: below 400 the contract alone decides.
  if (spec !== undefined && (response.status < 400 || !isProblem(response))) {
    return readExpected({ contract, spec, response, bytes });
  }
  if (response.status < 400) return unexpectedReply(response, `The contract has no reply ${response.status}`);
  if (contract.method === 'HEAD') return bodilessFailure(response);
  return readProblem(response, bytes);
}

interface Received {
  readonly contract: Contract;
  readonly spec: ReplySpec;
  readonly response: Response;
  readonly bytes: Uint8Array;
}

function readExpected({ contract, spec, response, bytes }: Received): AnyReply | Failure {
  const { status, headers } = response;
  const reply = { ok: true, status, headers } as const;
  if (contract.method === 'HEAD') return reply;
  if (spec.bytes === true) return { ...reply, bytes, contentType: headers.get('content-type') ?? '' };
  if (spec.schema === undefined) return reply;
  const parsed = spec.schema.safeParse(parseJson(bytes));
  if (parsed.success) return { ...reply, data: parsed.data };
  const fields = parsed.error.issues.map(({ path }) => path.join('.') || 'the body').slice(0, 5);
  return unexpectedReply(response, `The reply does not fit its contract: ${fields.join(', ')}`);
}

function readProblem(response: Response, bytes: Uint8Array): Failure {
  const parsed = isProblem(response) ? Problem.safeParse(parseJson(bytes)) : undefined;
  if (!parsed?.success)
    return unexpectedReply(response, `The answer ${response.status} is not a problem of this service`);
  const { status, headers } = response;
  return { ok: false, status, problem: { ...parsed.data, status }, headers, ...retryAfter(response) };
}

const isProblem = ({ headers }: Response) => /^application\/problem\+json\b/i.test(headers.get('content-type') ?? '');

/** undefined when it is not JSON: no schema takes that. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
