/**
 * Hugging Face decoders in process.
 * @module
 */
export { loadDecoder } from "./load_decoder.ts";
export { loadLocalDecoder, readConfig } from "./local_decoder.ts";
export { type KeyPlace, rotateKey, unrotateKey } from "./rotate_keys.ts";
export { encodeSafetensors, type TensorToWrite } from "./write_safetensors.ts";
export { loadTokenizer } from "./tokenizer.ts";
export type { DecoderTokenizer, RenderOptions } from "./tokenizer.ts";
export type { DecoderConfig, RopeScaling } from "./config.ts";
export type * from "./types.ts";
