/** The part of cli-progress that is used here; the package brings no types. */
declare module 'cli-progress' {
  export interface Bar {
    increment(by: number, payload?: object): void;
  }

  export interface Options {
    readonly stream?: NodeJS.WritableStream;
    readonly format?: string;
    readonly hideCursor?: boolean;
    readonly gracefulExit?: boolean;
    readonly barsize?: number;
    readonly fps?: number;
  }

  export class MultiBar {
    constructor(options: Options);
    create(total: number, start: number, payload?: object): Bar;
    stop(): void;
  }
}
