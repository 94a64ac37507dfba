/** How far a job is, as a line. */
import type { JobResponse } from '../../lib/jobs/contract.ts';
import { bytesText, countText, durationText } from './amount-text.ts';

const WIDTH = 20;
const EIGHTHS = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** A bar of `width` letters. @param ratio 0 to 1. */
export function barText(ratio: number, width = WIDTH): string {
  const eighths = Math.round(Math.min(1, Math.max(0, ratio)) * width * 8);
  const full = Math.floor(eighths / 8);
  const rest = full < width ? (EIGHTHS[eighths % 8] as string) : '';
  return `${'█'.repeat(full)}${rest}`.padEnd(width, ' ');
}

/** For a terminal, to be written over. @param label what is done. @param elapsedMs since it was asked for. */
export function progressBar(label: string, job: JobResponse, elapsedMs: number): string {
  const { percent } = job;
  const bar = percent === null ? '' : `▕${barText(percent / 100)}▏ ${String(percent).padStart(3)} %  `;
  return `${label}  ${bar}${amountOf(job)}  ${timeOf(job, elapsedMs)}`;
}

/** For a file: what stands for itself. */
export function progressLine(label: string, job: JobResponse, elapsedMs: number): string {
  const part = job.percent === null ? '' : `${job.percent} %, `;
  return `${label}: ${part}${amountOf(job)}, ${timeOf(job, elapsedMs)}`;
}

function amountOf({ status, progress: { done, total, unit } }: JobResponse): string {
  if (status === 'queued') return 'waits to begin';
  const [text, named] = unit === 'bytes' ? [bytesText, ''] : [countText, ` ${unit}`];
  return total === null ? `${text(done)}${named}` : `${text(done)} of ${text(total)}${named}`;
}

const timeOf = ({ eta_seconds }: JobResponse, elapsedMs: number): string =>
  eta_seconds === null ? durationText(elapsedMs) : `${durationText(eta_seconds * 1_000)} left`;
