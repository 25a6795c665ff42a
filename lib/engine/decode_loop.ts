/**
 * Draws the continuations of all calls that are under way together, a token each per step. Calls join and leave
 * between steps (continuous batching, after Orca, Yu et al. 2022).
 * @module
 */
import { Branch, type NextToken, type Request } from "./branch.ts";
import { freeFloats } from "./free_floats.ts";
import { inUse, KvStore } from "./kv_store.ts";
import type { DecoderConfig } from "./config.ts";
import type { DecodeBatch, ModelRunner } from "./model_runner.ts";
import { lengthLimit } from "./rope_table.ts";
import { actsOn } from "./steering.ts";
import type { DecoderTokenizer } from "./tokenizer.ts";
import type { BranchEvent, Sample, Steer } from "./types.ts";

/**
 * Most rows that stores are copied together up to. Every branch of a batch attends over all rows of its store, its
 * own or not, so short prefixes gain by sharing a step and long ones lose.
 */
const MAX_JOINED_ROWS = 2048;

/** Branches of a batch beyond which no other call joins it. */
const MAX_BRANCHES = 64;

/** What all requests of a call have in common. */
export interface GenerateRun {
  /** Steerings in force. */
  readonly steers: readonly Steer[];
  /** Told of every token. */
  readonly onToken?: ((event: BranchEvent) => void) | undefined;
  /** Ends all branches at once, as `aborted`, with what they have. */
  readonly signal?: AbortSignal | undefined;
}

/** A branch, and where its tokens go. */
interface Member {
  readonly branch: Branch;
  readonly call: Call;
  readonly request: number;
  readonly sample: number;
}

/** The requests of one call, and its promise. */
class Call {
  readonly members: readonly Member[];
  readonly #promise = Promise.withResolvers<Sample[][]>();
  readonly #stores: Disposable;
  readonly #abort = () => this.abort();
  #open: number;
  #settled = false;

  constructor(
    readonly requests: readonly Request[],
    readonly run: GenerateRun,
    tokenizer: DecoderTokenizer,
    config: DecoderConfig,
  ) {
    this.#stores = inUse(requests.map(({ store }) => store));
    this.members = requests.flatMap((request, index) =>
      Array.from({ length: request.options.n ?? 1 }, (_, sample): Member => ({
        branch: new Branch(request, sample, tokenizer, config),
        call: this,
        request: index,
        sample,
      }))
    );
    this.#open = this.members.length;
    run.signal?.addEventListener("abort", this.#abort);
    if (run.signal?.aborted) this.abort();
    else this.#settle();
  }

  /** The samples of each request. */
  get samples(): Promise<Sample[][]> {
    return this.#promise.promise;
  }

  /** Draws a member's next token. */
  draw({ branch, request, sample }: Member, next: NextToken, ends: ReadonlySet<number>): void {
    const drawn = branch.draw(next, ends);
    this.run.onToken?.({ request, sample, ...drawn });
    if (branch.finishReason === undefined) return;
    this.#open--;
    this.#settle();
  }

  /** Ends every member that is still going, with what it has. */
  abort(): void {
    for (const { branch } of this.members) {
      if (branch.finishReason !== undefined) continue;
      branch.abort();
      this.#open--;
    }
    this.#settle();
  }

  /** Ends the call with an error. */
  fail(error: unknown): void {
    this.#promise.reject(error);
    this.abort();
  }

  #settle(): void {
    if (this.#open > 0 || this.#settled) return;
    this.#settled = true;
    this.run.signal?.removeEventListener("abort", this.#abort);
    this.#stores[Symbol.dispose]();
    const samples: Sample[][] = this.requests.map(() => []);
    for (const { branch, request } of this.members) samples[request]?.push(branch.sample());
    this.#promise.resolve(samples);
  }
}

/** Where the rows of a store lie among those that a batch decodes over. */
interface Part {
  readonly start: number;
  readonly rows: number;
}

/** Branches that are decoded together. */
interface Batch {
  /** Undefined until its first step. */
  cache: DecodeBatch | undefined;
  /** In the order of the cache. */
  members: readonly Member[];
  /** Join before the next step. */
  fresh: Member[];
  /** What it decodes over, and where in it the stores of its members lie. */
  store: KvStore | undefined;
  parts: ReadonlyMap<KvStore, Part>;
  /** Keeps them. */
  held: Disposable;
  /** Response steerings of its only call; a batch without is shared by all calls without. */
  readonly steers: readonly Steer[];
  /** Most tokens of a sequence, prefix included, that can be fed. */
  readonly limit: number;
  /** Whether other calls may join. */
  readonly open: boolean;
}

/** Runs the calls that are added to it, step by step. */
export class DecodeLoop {
  readonly #runner: ModelRunner;
  readonly #tokenizer: DecoderTokenizer;
  readonly #ends: ReadonlySet<number>;
  #incoming: Call[] = [];
  /** The next one to step first. */
  #batches: Batch[] = [];

  /** Has nothing to do yet. */
  constructor(runner: ModelRunner, tokenizer: DecoderTokenizer) {
    this.#runner = runner;
    this.#tokenizer = tokenizer;
    this.#ends = new Set(tokenizer.eosIds);
  }

  /** Whether there is nothing to do. */
  get idle(): boolean {
    return this.#incoming.length === 0 && this.#batches.length === 0;
  }

  /** Adds a call, which begins with the next step. @returns the samples of each request. */
  add(requests: readonly Request[], run: GenerateRun): Promise<Sample[][]> {
    const call = new Call(requests, run, this.#tokenizer, this.#runner.config);
    this.#incoming.push(call);
    return call.samples;
  }

  /** Begins the calls that were added, and draws one token in each branch of one batch. */
  async step(): Promise<void> {
    for (const call of this.#incoming.splice(0)) this.#begin(call);
    const batch = this.#batches.shift();
    if (batch === undefined) return;
    try {
      await this.#advance(batch);
    } catch (error) {
      for (const call of new Set([...batch.members, ...batch.fresh].map((member) => member.call))) {
        call.fail(error);
      }
    }
    if (batch.members.length + batch.fresh.length > 0) this.#batches.push(batch);
    else batch.held[Symbol.dispose]();
  }

  /** Draws the first tokens of a call, and lets the branches that go on join a batch. */
  #begin(call: Call): void {
    const { requests, members, run } = call;
    const steers = run.steers.filter((steer) => actsOn(steer, "response"));
    let own: Batch | undefined;
    for (const member of members) {
      if (member.branch.finishReason !== undefined) continue;
      call.draw(member, { logits: requests[member.request]?.logits }, this.#ends);
    }
    const going = members.filter(({ branch }) => branch.finishReason === undefined);
    for (const [store, group] of Map.groupBy(going, ({ branch }) => branch.store)) {
      const rows = Math.max(...group.map(({ branch }) => branch.length));
      const limit = lengthLimit(this.#runner.config, rows);
      const fits = (batch: Batch) =>
        batch.limit === limit &&
        (batch.fresh.length > 0 && batch.fresh[0]?.call === call || inBatch(batch) < MAX_BRANCHES) &&
        rowsWith(batch, store, rows) <= MAX_JOINED_ROWS;
      let batch = steers.length > 0
        ? own && fits(own) ? own : undefined
        : this.#batches.find((other) => other.open && fits(other));
      if (batch === undefined) {
        batch = {
          cache: undefined,
          members: [],
          fresh: [],
          store: undefined,
          parts: new Map(),
          held: inUse([]),
          steers,
          limit,
          open: steers.length === 0,
        };
        this.#batches.push(batch);
        own = batch;
      }
      batch.fresh.push(...group);
    }
  }

  async #advance(batch: Batch): Promise<void> {
    this.#arrange(batch);
    const { cache, members } = batch;
    if (cache === undefined || members.length === 0) return;
    await this.#feed(
      cache,
      members,
      members.map(({ branch }) => branch.tokens.at(-1) as number),
      batch.steers,
    );
    const over = batch.members.filter((member) => this.#isOver(batch, member));
    if (over.length === 0) return;
    batch.members = batch.members.filter((member) => !over.includes(member));
    cache.keep([...members.keys()].filter((i) => !over.includes(members[i] as Member)));
    for (const group of Map.groupBy(over, ({ branch }) => branch.store).values()) {
      for (
        const alike of Map.groupBy(group, ({ branch }) => `${branch.length} ${branch.tokens.length}`).values()
      ) {
        const recomputed = await this.#recomputed(alike, batch.steers);
        if (recomputed !== undefined) this.#batches.push(recomputed);
      }
    }
  }

  /** Whether a member that goes on cannot be fed in this batch any more. */
  #isOver({ limit }: Batch, { branch }: Member): boolean {
    return branch.finishReason === undefined && branch.length + branch.tokens.length > limit;
  }

  /** Runs one token in each member and draws the next. */
  async #feed(
    cache: DecodeBatch,
    members: readonly Member[],
    tokens: readonly number[],
    steers: readonly Steer[],
    draw = true,
  ): Promise<void> {
    const { vocabSize } = this.#runner.config;
    const drawn = [...members.keys()].filter((i) => (members[i] as Member).branch.temperature > 0);
    const temperatures = drawn.map((i) => (members[i] as Member).branch.temperature);
    const { logits, probabilities } = await cache.step(tokens, {
      steers,
      logits: members.some(({ branch }) => branch.needsLogits),
      ...(drawn.length > 0 ? { drawn: { branches: drawn, temperatures } } : {}),
    });
    if (!draw) return;
    const row = (all: Float32Array | undefined, at: number) =>
      at < 0 ? undefined : all?.subarray(at * vocabSize, (at + 1) * vocabSize);
    for (const [i, member] of members.entries()) {
      if (member.branch.finishReason !== undefined) continue; // it was stopped meanwhile
      const next = { logits: row(logits, i), probabilities: row(probabilities, drawn.indexOf(i)) };
      member.call.draw(member, next, this.#ends);
    }
    freeFloats(logits, probabilities);
  }

  /** Drops the members that have ended and lets those that are fresh join. */
  #arrange(batch: Batch): void {
    const { members } = batch;
    const isGoing = ({ branch }: Member) => branch.finishReason === undefined;
    const kept = [...members.keys()].filter((i) => isGoing(members[i] as Member));
    const fresh = batch.fresh.splice(0).filter(isGoing);
    batch.members = [...kept.map((i) => members[i] as Member), ...fresh];
    if (batch.members.length === 0) return;
    if (kept.length > 0) batch.cache?.keep(kept);
    if (fresh.length === 0) return;
    const store = this.#joined(batch);
    const spans = batch.members.map(({ branch }) => ({
      start: batch.parts.get(branch.store)?.start as number,
      length: branch.length,
    }));
    if (batch.cache === undefined || kept.length === 0) batch.cache = this.#runner.startBatch(store, spans);
    else batch.cache.admit(store, spans);
  }

  /** One store that holds the rows of all members' stores. */
  #joined(batch: Batch): KvStore {
    const wanted = [...rowsOf(batch.members)].map(([store, rows]) => ({ store, rows }));
    const holds = ({ store, rows }: { store: KvStore; rows: number }) =>
      (batch.parts.get(store)?.rows ?? 0) >= rows;
    if (batch.store !== undefined && wanted.every(holds)) return batch.store;
    const parts = new Map<KvStore, Part>();
    let start = 0;
    for (const { store, rows } of wanted) {
      parts.set(store, { start, rows });
      start += rows;
    }
    const store = wanted.length === 1 && wanted[0]
      ? wanted[0].store
      : KvStore.join(this.#runner.config, wanted);
    const held = inUse([store, ...parts.keys()]);
    batch.held[Symbol.dispose]();
    Object.assign(batch, { store, parts, held });
    return store;
  }

  /**
   * Computes a prefix, and what equally long branches of it have drawn, with the positions of a longer sequence, and
   * draws their next tokens. Fails their calls, and gives nothing, where that fails.
   */
  async #recomputed(members: readonly Member[], steers: readonly Steer[]): Promise<Batch | undefined> {
    const { config } = this.#runner;
    const { store: before, length, tokens: { length: drawn } } = (members[0] as Member).branch;
    const store = new KvStore(config, length);
    const held = inUse([store]);
    store.atLeast = length + drawn;
    const history = members.map(({ branch }) => branch.tokens.slice());
    try {
      const run = { steers: [], allLogits: false, capture: [] };
      await this.#runner.prefill(store, before.tokens.slice(0, length), run);
      const cache = this.#runner.startBatch(store, members.map(() => ({ start: 0, length })));
      for (let step = 0; step < drawn; step++) {
        const tokens = history.map((of) => of[step] as number);
        await this.#feed(cache, members, tokens, steers, step === drawn - 1);
      }
      const parts = new Map([[store, { start: 0, rows: length }]]);
      return {
        cache,
        members,
        fresh: [],
        store,
        parts,
        held,
        steers,
        limit: config.contextWindow,
        open: false,
      };
    } catch (error) {
      held[Symbol.dispose]();
      for (const { call } of members) call.fail(error);
      return undefined;
    }
  }
}

function inBatch({ members, fresh }: Batch): number {
  return members.length + fresh.length;
}

/** Rows of each store that members read. */
function rowsOf(members: readonly Member[]): Map<KvStore, number> {
  const rows = new Map<KvStore, number>();
  for (const { branch: { store, length, finishReason } } of members) {
    if (finishReason === undefined) rows.set(store, Math.max(rows.get(store) ?? 0, length));
  }
  return rows;
}

/** Rows that a batch decodes over once it also reads `rows` of a store; a store alone may be of any length. */
function rowsWith(batch: Batch, store: KvStore, rows: number): number {
  const all = rowsOf([...batch.members, ...batch.fresh]);
  all.set(store, Math.max(all.get(store) ?? 0, rows));
  return all.size === 1 ? 0 : [...all.values()].reduce((sum, n) => sum + n, 0);
}
