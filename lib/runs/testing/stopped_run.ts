/**
 * A process that `stopOnSignal` watches: says `ready`, then `stopping` at the first signal, and never ends by itself.
 * @module
 */
import { stopOnSignal } from "../stop_on_signal.ts";

using _ = stopOnSignal(() => console.log("stopping"));
console.log("ready");
await new Promise((resolve) => setTimeout(resolve, 60_000));
