import { describe, expect, it } from 'vitest';
import { traceHeaders } from '../../lib/http/traceparent.ts';

const GOOD = `00-${'0af7651916cd43dd8448eb211c80319c'}-b7ad6b7169203331-01`;

describe('traceparent [A14 M2]', () => {
  it('is passed on, with its state', () => {
    expect(traceHeaders({ headers: { traceparent: GOOD } })).toEqual({ traceparent: GOOD });
    const headers = { traceparent: GOOD, tracestate: 'a=1,b=2' };
    expect(traceHeaders({ headers })).toEqual(headers);
  });

  it.each([
    undefined,
    '',
    GOOD.toUpperCase(),
    `${GOOD} `,
    `${GOOD}-x`,
    `${GOOD}\n`,
    `${GOOD},${GOOD}`,
    GOOD.replace('00-', 'ff-'),
    GOOD.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32)),
    GOOD.replace('b7ad6b7169203331', '0'.repeat(16)),
    GOOD.slice(0, -1),
    'x'.repeat(10_000),
  ])('is ignored when malformed, and the state with it (%#)', (traceparent) => {
    expect(traceHeaders({ headers: { traceparent, tracestate: 'a=1' } })).toEqual({});
  });

  it.each(['', 'x'.repeat(513), 'a=1\r\nx: y', 'é=1'])('drops a state that is malformed (%#)', (tracestate) => {
    expect(traceHeaders({ headers: { traceparent: GOOD, tracestate } })).toEqual({ traceparent: GOOD });
  });
});
