import type { HttpEvent } from './event.ts';

/** Version `ff` and ids of zeros only are forbidden. */
const PARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** `traceparent` and `tracestate` (W3C Trace Context) as they came, when well formed: passed on with the answer. */
export function traceHeaders(event: HttpEvent): Readonly<Record<string, string>> {
  const parent = event.headers?.traceparent;
  if (parent === undefined || !PARENT.test(parent)) return {};
  const state = event.headers?.tracestate;
  return state !== undefined && /^[\x20-\x7e]{1,512}$/.test(state)
    ? { traceparent: parent, tracestate: state }
    : { traceparent: parent };
}
