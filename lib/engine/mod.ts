/**
 * Hugging Face decoders in process.
 * @module
 */
export { loadLocalDecoder, readConfig } from "./local_decoder.ts";
export { loadTokenizer } from "./tokenizer.ts";
export type { DecoderTokenizer, RenderOptions } from "./tokenizer.ts";
export type { DecoderConfig } from "./config.ts";
export type * from "./types.ts";
