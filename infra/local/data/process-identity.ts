/** Tells one process from another that has got its id later. */
import { readFileSync } from 'node:fs';

/**
 * When a process was started, in the system's own unit; undefined when it does not run. Where the system does not tell
 * (no /proc), every living process has the same answer.
 */
export function processStart(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return undefined;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Fields are counted after the name, which may hold spaces and brackets itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // It has ended, and its parent has not asked how: in a container perhaps never.
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return 'unknown';
  }
}
