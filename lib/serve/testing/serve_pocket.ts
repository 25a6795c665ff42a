/**
 * The embedded model on a free port, for tests.
 * @module
 */
import { getVariant, type LocalVariant } from "../../backends/variants.ts";
import { type ServeOptions, type Server, startServer } from "../start_server.ts";

/** Serves the embedded model. */
export async function servePocket(options: Partial<ServeOptions> = {}): Promise<Server> {
  return await startServer({ variant: await getVariant("pocket") as LocalVariant, ...options });
}
