/** A browser as far as cookies go: keeps what it is told, by name, and sends it back. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** As `Set-Cookie` had them. */
  readonly set: readonly string[];
}

export interface Visitor {
  readonly cookies: Map<string, string>;
  get(path: string): Promise<Answer>;
  post(path: string): Promise<Answer>;
}

export function newVisitor(url: string, cookies: Iterable<readonly [string, string]> = []): Visitor {
  const jar = new Map(cookies);
  const send = async (method: string, path: string): Promise<Answer> => {
    const cookie = Array.from(jar, ([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url + path, { method, headers: cookie === '' ? {} : { cookie } });
    const set = response.headers.getSetCookie();
    for (const line of set) keep(jar, line);
    return { status: response.status, text: await response.text(), set };
  };
  return { cookies: jar, get: (path) => send('GET', path), post: (path) => send('POST', path) };
}

function keep(jar: Map<string, string>, line: string): void {
  const [pair = ''] = line.split(';');
  const name = pair.slice(0, pair.indexOf('='));
  if (/; *max-age=0/i.test(line)) jar.delete(name);
  else jar.set(name, pair.slice(name.length + 1));
}
