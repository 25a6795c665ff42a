/**
 * A process that holds a run's lock until it is killed: `held_lock.ts PATH`.
 * @module
 */
import { lockRun } from "../lock.ts";

try {
  const lock = await lockRun(Deno.args[0] as string);
  console.log("held");
  await new Promise((resolve) => setTimeout(resolve, 60_000));
  lock[Symbol.dispose]();
} catch (error) {
  console.log((error as Error).message);
  Deno.exit(2);
}
