// The body of a request as `forward` gets it. It stands apart from the connection: a reader that lets go of it does not tear down
// the connection that the refusal still has to travel on, and a request that broke off is an error, never a clean end.
import { Readable } from 'node:stream';

export class RequestBody extends Readable {
  readonly #source: Readable;
  #isComplete = false;

  /**
   * @param source the request; must not have been read yet
   * @param isEmpty it is known to have no body
   */
  constructor(source: Readable, isEmpty: boolean) {
    super();
    this.#source = source;
    if (isEmpty) {
      this.#isComplete = true;
      this.push(null);
      source.resume();
      return;
    }
    source.pause();
    source.on('data', (chunk: Buffer) => {
      if (!this.destroyed && !this.push(chunk)) source.pause();
    });
    source.on('end', () => {
      // HTTP/2 ends the readable side of a stream that was reset, too, but tells `aborted` first.
      if (this.destroyed) return;
      this.#isComplete = true;
      this.push(null);
    });
    for (const event of ['aborted', 'error', 'close']) source.on(event, () => this.breakOff());
    // Nobody may be listening when the program goes away.
    this.on('error', () => {});
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  breakOff(): void {
    if (!this.#isComplete && !this.destroyed) this.destroy(new Error('the program broke off its request'));
  }

  override _read(): void {
    this.#source.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // What is still coming is read and dropped, so that the reply can pass.
    if (!this.#source.destroyed) this.#source.resume();
    done(error);
  }
}
