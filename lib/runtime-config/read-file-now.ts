/**
 * Reads a file as it is now.
 * @throws {Error} it is not there, or no file: to read a pipe is to wait for who writes, and the end of the process would wait, too.
 */
export async function readFileNow(path: string): Promise<string> {
  const { readFile, stat } = await import('node:fs/promises');
  if (!(await stat(path)).isFile()) throw new Error('It is no file');
  return readFile(path, 'utf8');
}
