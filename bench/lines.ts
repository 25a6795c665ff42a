/**
 * Lines of a text stream.
 * @module
 */

/** Cuts chunks of text, or of UTF-8 bytes, at line ends; the last line needs its end too. */
export class TextLineStream extends TransformStream<string | Uint8Array, string> {
  constructor() {
    const decoder = new TextDecoder();
    let rest = "";
    super({
      transform(chunk, controller) {
        rest += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
        const lines = rest.split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) controller.enqueue(line);
      },
    });
  }
}
