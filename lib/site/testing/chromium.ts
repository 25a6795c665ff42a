/**
 * A real Chromium, driven over its DevTools protocol, for tests of pages.
 * https://chromedevtools.github.io/devtools-protocol/
 * @module
 */
import { join } from "node:path";

/** The browser's program, or undefined where none is installed. */
export const CHROMIUM: string | undefined = ["chromium", "chromium-browser", "google-chrome"]
  .flatMap((name) => (Deno.env.get("PATH") ?? "").split(":").map((folder) => join(folder, name)))
  .find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
if (CHROMIUM === undefined) {
  console.log("Chromium is not installed: the tests of pages in a browser are skipped.");
}

type Params = Record<string, unknown>;
interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: Params;
  readonly result?: Params;
  readonly error?: { readonly message: string };
}

/** One page. */
export interface Tab {
  /** Goes to an address and waits until it is loaded. */
  goto(url: string): Promise<void>;
  /** Evaluates an expression in the page and gives its value. */
  evaluate<T>(expression: string): Promise<T>;
  /** Waits until an expression is truthy. */
  until(expression: string, what: string, timeoutMs?: number): Promise<void>;
  /** Presses a key: `Tab`, `Enter`, `ArrowDown`, with modifiers such as `Shift+Enter`. */
  press(key: string): Promise<void>;
  /** Clicks in the middle of the first element that a selector finds. */
  click(selector: string): Promise<void>;
  /** Sets width and height in CSS pixels, and the colour scheme. */
  look(options: { readonly width: number; readonly height?: number; readonly dark?: boolean }): Promise<void>;
  /** The page as PNG; all of it, or what fits the window. */
  screenshot(options?: { readonly whole?: boolean }): Promise<Uint8Array>;
  /** What went wrong since the tab was opened: console errors, uncaught exceptions, refused loads. */
  readonly problems: string[];
  /** Every address that was asked for. */
  readonly requests: string[];
}

/** A browser. */
export interface Browser extends AsyncDisposable {
  /** Opens a page. */
  open(): Promise<Tab>;
}

const KEYS: Record<string, { key: string; code: string; windowsVirtualKeyCode: number; text?: string }> = {
  Tab: { key: "Tab", code: "Tab", windowsVirtualKeyCode: 9 },
  Enter: { key: "Enter", code: "Enter", windowsVirtualKeyCode: 13, text: "\r" },
  Escape: { key: "Escape", code: "Escape", windowsVirtualKeyCode: 27 },
  ArrowDown: { key: "ArrowDown", code: "ArrowDown", windowsVirtualKeyCode: 40 },
  ArrowUp: { key: "ArrowUp", code: "ArrowUp", windowsVirtualKeyCode: 38 },
  End: { key: "End", code: "End", windowsVirtualKeyCode: 35 },
  Home: { key: "Home", code: "Home", windowsVirtualKeyCode: 36 },
  PageDown: { key: "PageDown", code: "PageDown", windowsVirtualKeyCode: 34 },
};
const MODIFIERS: Record<string, number> = { Alt: 1, Control: 2, Meta: 4, Shift: 8 };

/** Starts the browser with a profile of its own. */
export async function startChromium(): Promise<Browser> {
  const profile = await Deno.makeTempDir({ prefix: "probebook-chromium-" });
  const process = new Deno.Command(CHROMIUM as string, {
    args: [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      "--no-default-browser-check",
      "--hide-scrollbars",
      "--remote-debugging-port=0",
      `--user-data-dir=${profile}`,
      "about:blank",
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    env: { HOME: profile },
  }).spawn();
  const socket = new WebSocket(await endpoint(profile));
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("Chromium did not answer"));
  });
  const waiting = new Map<number, PromiseWithResolvers<Params>>();
  const listeners = new Map<string, (method: string, params: Params) => void>();
  let count = 0;
  const send = (method: string, params: Params = {}, sessionId?: string): Promise<Params> => {
    const id = ++count;
    const reply = Promise.withResolvers<Params>();
    waiting.set(id, reply);
    socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    return reply.promise;
  };
  socket.onmessage = ({ data }) => {
    const reply = JSON.parse(data) as Reply;
    if (reply.id === undefined) {
      return listeners.get(reply.sessionId ?? "")?.(reply.method ?? "", reply.params ?? {});
    }
    const asked = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.error) asked?.reject(new Error(reply.error.message));
    else asked?.resolve(reply.result ?? {});
  };
  const closed = new Promise<void>((resolve) => socket.onclose = () => resolve());
  return {
    open: () => openTab(send, (sessionId, listener) => listeners.set(sessionId, listener)),
    async [Symbol.asyncDispose]() {
      await send("Browser.close").catch(() => {});
      await closed;
      await process.status;
      await Deno.remove(profile, { recursive: true }).catch(() => {});
    },
  };
}

async function endpoint(profile: string): Promise<string> {
  for (let i = 0; i < 600; i++) {
    const text = await Deno.readTextFile(join(profile, "DevToolsActivePort")).catch(() => "");
    const [port, path] = text.split("\n");
    if (port && path) return `ws://127.0.0.1:${port}${path}`;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("Chromium did not start");
}

async function openTab(
  sendTo: (method: string, params?: Params, sessionId?: string) => Promise<Params>,
  listen: (sessionId: string, listener: (method: string, params: Params) => void) => void,
): Promise<Tab> {
  const { targetId } = await sendTo("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await sendTo("Target.attachToTarget", { targetId, flatten: true }) as {
    sessionId: string;
  };
  const send = (method: string, params: Params = {}) => sendTo(method, params, sessionId);
  const problems: string[] = [];
  const requests: string[] = [];
  let loaded = Promise.withResolvers<void>();
  listen(sessionId, (method, params) => {
    if (method === "Page.loadEventFired") loaded.resolve();
    if (method === "Network.requestWillBeSent") requests.push((params["request"] as { url: string }).url);
    if (method === "Runtime.exceptionThrown") {
      const { text, exception } = params["exceptionDetails"] as {
        text: string;
        exception?: { description?: string };
      };
      problems.push(exception?.description ?? text);
    }
    if (method === "Runtime.consoleAPICalled" && params["type"] === "error") {
      problems.push(JSON.stringify(params["args"]));
    }
    if (method === "Log.entryAdded") {
      const { level, text } = params["entry"] as { level: string; text: string };
      if (level === "error") problems.push(text);
    }
  });
  for (const domain of ["Page", "Runtime", "Network", "Log"]) await send(`${domain}.enable`);
  const evaluate = async <T>(expression: string): Promise<T> => {
    const { result, exceptionDetails } = await send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    }) as {
      result: { value: T };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    };
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  return {
    problems,
    requests,
    evaluate,
    async goto(url) {
      loaded = Promise.withResolvers();
      const { errorText } = await send("Page.navigate", { url });
      if (errorText) throw new Error(`${url}: ${errorText}`);
      // Another place in the same page loads nothing.
      await Promise.race([
        loaded.promise,
        new Promise((resolve) => setTimeout(resolve, url.includes("#") ? 1500 : 60_000)),
      ]);
    },
    async until(expression, what, timeoutMs = 15_000) {
      const end = Date.now() + timeoutMs;
      while (!await evaluate(`Boolean(${expression})`).catch(() => false)) {
        if (Date.now() > end) throw new Error(`${what} did not come`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async press(key) {
      const parts = key.split("+");
      const name = parts.pop() as string;
      const modifiers = parts.reduce((sum, part) => sum | (MODIFIERS[part] ?? 0), 0);
      const known = KEYS[name] ??
        {
          key: name,
          code: `Key${name.toUpperCase()}`,
          windowsVirtualKeyCode: name.toUpperCase().charCodeAt(0),
        };
      const { text, ...rest } = known;
      await send("Input.dispatchKeyEvent", {
        type: text === undefined || modifiers !== 0 ? "rawKeyDown" : "keyDown",
        modifiers,
        ...rest,
        ...(text === undefined || modifiers !== 0 ? {} : { text }),
      });
      await send("Input.dispatchKeyEvent", { type: "keyUp", modifiers, ...rest });
    },
    async click(selector) {
      const place = await evaluate<{ x: number; y: number } | null>(
        `(() => { const e = document.querySelector(${
          JSON.stringify(selector)
        }); if (!e) return null; e.scrollIntoView({ block: "center", inline: "center" }); ` +
          `const r = e.getBoundingClientRect(); return { x: r.x + r.width / 2, y: r.y + r.height / 2 }; })()`,
      );
      if (place === null) throw new Error(`There is no ${selector}`);
      for (const type of ["mouseMoved", "mousePressed", "mouseReleased"]) {
        await send("Input.dispatchMouseEvent", {
          type,
          ...place,
          button: type === "mouseMoved" ? "none" : "left",
          clickCount: 1,
        });
      }
    },
    async look({ width, height = 900, dark = false }) {
      await send("Emulation.setDeviceMetricsOverride", {
        width,
        height,
        deviceScaleFactor: 1,
        mobile: width < 600,
      });
      await send("Emulation.setEmulatedMedia", {
        features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }],
      });
    },
    async screenshot({ whole = false } = {}) {
      const { data } = await send("Page.captureScreenshot", {
        format: "png",
        captureBeyondViewport: whole,
        ...(whole ? {} : {}),
      });
      return Uint8Array.fromBase64(data as string);
    },
  };
}
