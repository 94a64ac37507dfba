import type { Verdict } from '../../lib/audit/verify-chain.ts';

const count = (n: number) => `${n.toLocaleString('en-US')} ${n === 1 ? 'entry' : 'entries'}`;

/** What is said of a log that was read. */
export function verdictText(verdict: Verdict): string {
  const { entries, first, head } = verdict;
  const range = first === null ? '' : `, ${first} to ${head.seq}`;
  if (!verdict.ok) {
    const { seq, line, why, message } = verdict.broken;
    return [
      `NOT INTACT: ${message}`,
      `First broken entry: ${seq} (${why}, line ${line})`,
      `Intact before it:   ${count(entries)}${range}`,
    ].join('\n');
  }
  if (first === null) return 'The log is empty.';
  return [
    `INTACT: ${count(entries)}${range}`,
    `Head:   ${head.seq}:${head.hash}`,
    'Note the head where nobody who can write the log can write: with --head it shows later that nothing was rewritten.',
  ].join('\n');
}
