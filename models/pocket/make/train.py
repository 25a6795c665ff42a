"""Trains the embedded model on the token files of corpus.ts and writes a Hugging Face Llama checkpoint.

python3 train.py --data build/look --out build/look
python3 train.py --data build/first --start build/look --out build/first [--steps N] [--resume]
python3 train.py --data build/tasks --start build/count --keep build/count/keep.json --out build/tasks
python3 train.py --data build/settle --start build/tasks --keep build/count/keep.json --out build/settle --average

Needs PyTorch alone. One pass over the rows; the loss counts learned tokens only. A checkpoint is kept every five
minutes: --resume goes on where it was. Without --start training begins from weights that hold a faint induction
circuit; with it from a checkpoint, whose vocabulary may be the beginning of the new one.
"""
import argparse, json, math, os, random, struct, time
import torch
import torch.nn as nn
import torch.nn.functional as F

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": 3072,
    "hidden_size": 192,
    "intermediate_size": 512,
    "num_hidden_layers": 4,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "head_dim": 32,
    "hidden_act": "silu",
    "max_position_embeddings": 4096,
    "rms_norm_eps": 1e-05,
    "rope_theta": 10000.0,
    "rope_scaling": None,
    "tie_word_embeddings": True,
    "attention_bias": False,
    "mlp_bias": False,
    "attention_dropout": 0.0,
    "initializer_range": 0.02,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "use_cache": True,
    "torch_dtype": "float16",
}


# What a token is in training; encoded.ts says more.
LEARNED, APART, GATE = 1, 2, 4
END = 0  # parts the chats of a row


def which_are_seen(ids, marks):
    """For each row which tokens each token sees [rows, 1, tokens, tokens]: those before it in its chat that are not apart."""
    size = ids.shape[1]
    chat = (ids == END).cumsum(1)
    apart, gate = (marks & APART).bool(), (marks & GATE).bool()
    causal = torch.ones(size, size, dtype=torch.bool).tril()
    open_to = ~apart[:, None, :] | (apart | gate)[:, :, None]
    return (causal & (chat[:, None, :] == chat[:, :, None]) & open_to)[:, None]


class Norm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x):
        return F.rms_norm(x, (x.shape[-1],), self.weight, CONFIG["rms_norm_eps"])


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


def rotary(tokens):
    """Cosines and sines of the first positions, each [tokens, head_dim / 2]."""
    half = torch.arange(0, CONFIG["head_dim"], 2, dtype=torch.float32) / CONFIG["head_dim"]
    angles = torch.outer(torch.arange(tokens, dtype=torch.float32), CONFIG["rope_theta"] ** -half)
    return angles.cos(), angles.sin()


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        d, h, kv, hd, m = (CONFIG[k] for k in (
            "hidden_size", "num_attention_heads", "num_key_value_heads", "head_dim", "intermediate_size"))
        self.input_layernorm, self.post_attention_layernorm = Norm(d), Norm(d)
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(d, n * hd, bias=False) for n in (h, kv, kv))
        self.o_proj = nn.Linear(h * hd, d, bias=False)
        self.gate_proj, self.up_proj = nn.Linear(d, m, bias=False), nn.Linear(d, m, bias=False)
        self.down_proj = nn.Linear(m, d, bias=False)

    def forward(self, x, cos, sin, seen):
        b, t, _ = x.shape
        n = self.input_layernorm(x)
        q, k, v = (p(n).view(b, t, -1, CONFIG["head_dim"]).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        groups = q.shape[1] // k.shape[1]
        k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
        o = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
        x = x + self.o_proj(o.transpose(1, 2).reshape(b, t, -1))
        n = self.post_attention_layernorm(x)
        return x + self.down_proj(F.silu(self.gate_proj(n)) * self.up_proj(n))


class Llama(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed_tokens = nn.Embedding(CONFIG["vocab_size"], CONFIG["hidden_size"])
        self.layers = nn.ModuleList(Block() for _ in range(CONFIG["num_hidden_layers"]))
        self.norm = Norm(CONFIG["hidden_size"])
        start_with_induction(self)

    def hidden(self, ids, marks):
        x = self.embed_tokens(ids)
        cos, sin = (table.to(x.dtype) for table in rotary(ids.shape[1]))
        seen = which_are_seen(ids, marks)
        for layer in self.layers:
            x = layer(x, cos, sin, seen)
        return self.norm(x)

    def loss(self, ids, marks):
        """Mean cross entropy of learned tokens, the share of them right, and the share of rows all right."""
        h = self.hidden(ids, marks)[:, :-1]
        learn = (marks[:, 1:] & LEARNED).bool()
        logits = F.linear(h[learn], self.embed_tokens.weight).float()
        gold = ids[:, 1:][learn]
        right = logits.argmax(-1) == gold
        row = learn.nonzero()[:, 0]
        wrong_rows = torch.zeros(ids.shape[0]).index_add_(0, row, (~right).float())
        has = learn.any(1)
        return F.cross_entropy(logits, gold), right.float().mean().item(), (wrong_rows[has] == 0).float().mean().item()


@torch.no_grad()
def start_with_induction(model):
    """Initial weights that already hold a faint induction circuit (Olsson et al. 2022), which training then takes up.

    Small models find "look for where this token stood before and say what came next" late or never; everything here
    needs it. Block 0 attends to the token before and notes it down: all embeddings share a direction, which gives
    queries and keys a constant part, turned by one step of RoPE. Later blocks look for positions whose note is the
    present token and write that position's own token. All else starts small and random.
    """
    d, hd, h, kv = (CONFIG[k] for k in ("hidden_size", "head_dim", "num_attention_heads", "num_key_value_heads"))
    groups, spread, common = h // kv, 0.05, 0.4
    shared = torch.full((d,), d ** -0.5)
    clear = lambda w: w - (w @ shared)[:, None] * shared
    sketch = lambda: clear(torch.randn(hd, d) / d ** 0.5)
    model.embed_tokens.weight.copy_(clear(torch.randn(CONFIG["vocab_size"], d) * spread) + common * shared)
    present, note = [sketch() for _ in range(kv)], [sketch() for _ in range(kv)]
    part = common * d ** 0.5 / math.sqrt(common ** 2 + spread ** 2 * d)
    reach = math.sqrt(5 * math.sqrt(hd)) / part
    for index, layer in enumerate(model.layers):
        q, k, v = (p.weight.view(-1, hd, d) for p in (layer.q_proj, layer.k_proj, layer.v_proj))
        o = layer.o_proj.weight.view(d, h, hd)
        for p in (layer.gate_proj, layer.up_proj):
            nn.init.normal_(p.weight, std=0.03)
        nn.init.normal_(layer.down_proj.weight, std=0.005)
        if index == 0:
            nn.init.normal_(q, std=0.01), nn.init.normal_(k, std=0.01)
            for f in range(3):
                step = CONFIG["rope_theta"] ** (-2 * f / hd)
                q[:, f] += reach * shared
                k[:, f] += reach * math.cos(step) * shared
                k[:, f + hd // 2] += reach * math.sin(step) * shared
        for i in range(kv):
            value = present[i] if index == 0 else sketch()
            v[i] = value
            if index > 0:
                k[i] = note[i]
            for j in range(i * groups, (i + 1) * groups):
                o[:, j] = (0.1 * note[i] if index == 0 else 0.6 * value).T / groups
                if index > 0:
                    q[j] = 3 * present[i]


def load_phase(folder, index, width, rows):
    tokens = torch.from_file(f"{folder}/phase_{index}.tokens", size=rows * width, dtype=torch.uint16).view(rows, width)
    marks = torch.from_file(f"{folder}/phase_{index}.marks", size=rows * width, dtype=torch.uint8).view(rows, width)
    return tokens, marks


def begin(flags):
    """Sets seed and threads, and reads what corpus.ts says of the rows in --data."""
    torch.manual_seed(1)
    if flags.threads:
        torch.set_num_threads(flags.threads)
    return json.load(open(f"{flags.data}/phases.json"))


def schedule(phases, tokens, mixed_up):
    """Which rows go into each step: phases in order, a tenth of the earlier ones kept back and mixed in later; or all mixed."""
    draw = random.Random(1)
    steps, kept = [], []
    for index, p in enumerate(phases):
        size = tokens // p["width"]
        order = list(range(64, p["rows"]))
        draw.shuffle(order)
        batches = [(index, order[i:i + size]) for i in range(0, len(order) - size + 1, size)]
        if mixed_up:
            steps += batches
            continue
        cut = len(batches) // 10 if index < len(phases) - 1 else 0
        mixed = batches[cut:] + kept
        draw.shuffle(mixed)
        kept = batches[:cut]
        steps += mixed
    if mixed_up:
        draw.shuffle(steps)
    return steps


@torch.no_grad()
def start_from(model, folder, tokenizer):
    """Takes the weights of a checkpoint. New tokens begin as the mean of the two tokens they join."""
    with open(f"{folder}/model.safetensors", "rb") as f:
        size, = struct.unpack("<Q", f.read(8))
        header, data = json.loads(f.read(size)), f.read()
    for name, p in model.state_dict().items():
        entry = header[checkpoint_name(name)]
        first, last = entry["data_offsets"]
        saved = torch.frombuffer(bytearray(data[first:last]), dtype=torch.float16).view(entry["shape"]).float()
        p[:len(saved)].copy_(saved)
        if len(saved) < len(p):
            vocabulary = json.load(open(tokenizer))["model"]
            for left, right in vocabulary["merges"]:
                token = vocabulary["vocab"][left + right]
                if token >= len(saved):
                    p[token] = (p[vocabulary["vocab"][left]] + p[vocabulary["vocab"][right]]) / 2


def checkpoint_name(name):
    if "_proj" not in name:
        return "model." + name
    part = "self_attn" if name.split(".")[-2] in ("q_proj", "k_proj", "v_proj", "o_proj") else "mlp"
    layers, index, *rest = name.split(".")
    return ".".join(["model", layers, index, part, *rest])


def save_safetensors(path, tensors, metadata):
    header, data = {"__metadata__": metadata}, b""
    for name, t in tensors.items():
        raw = t.contiguous().view(torch.uint8).numpy().tobytes() if t.dim() else b""
        header[name] = {"dtype": "F16", "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".tmp", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)
    os.replace(path + ".tmp", path)


def export(model, out, steps):
    tensors = {checkpoint_name(name): p.detach().to(torch.float16) for name, p in model.state_dict().items()}
    save_safetensors(f"{out}/model.safetensors", tensors, {"format": "pt", "steps": str(steps)})
    json.dump(CONFIG, open(f"{out}/config.json", "w"), indent=2)


def save(model, optimiser, step, path):
    torch.save({"model": model.state_dict(), "optimiser": optimiser.state_dict(), "step": step}, path + ".tmp")
    os.replace(path + ".tmp", path)


def main():
    flags = argparse.ArgumentParser()
    flags.add_argument("--data", default="build")
    flags.add_argument("--out", default="..")
    flags.add_argument("--start", default="", help="folder of a checkpoint to begin with")
    flags.add_argument("--mixed", action="store_true", help="mix rows of all widths instead of taking short ones first")
    flags.add_argument("--tokens", type=int, default=8192, help="tokens in each step")
    flags.add_argument("--decay", type=float, default=0.4, help="share of the steps in which the rate falls to zero")
    flags.add_argument("--average", action="store_true",
                       help="write the mean of the weights of --start and those at the end (WiSE-FT, Wortsman et al. 2022)")
    flags.add_argument("--bf16", action="store_true", help="faster where the CPU has bf16, slower elsewhere")
    flags.add_argument("--keep", default="", help="JSON file of beginnings of names: these parameters stay as they are")
    flags.add_argument("--steps", type=int, default=0, help="stop the schedule after this many steps (0: all)")
    flags.add_argument("--lr", type=float, default=2e-3)
    flags.add_argument("--threads", type=int, default=0, help="CPU threads (0: PyTorch's choice)")
    flags.add_argument("--resume", action="store_true", help="go on from the checkpoint in --data")
    flags.add_argument("--save-every", type=float, default=300, help="seconds between checkpoints")
    flags = flags.parse_args()
    spec = begin(flags)
    phases = spec["phases"]
    CONFIG["vocab_size"] = spec["vocabulary"]
    data = [load_phase(flags.data, i, p["width"], p["rows"]) for i, p in enumerate(phases)]
    plan = schedule(phases, flags.tokens, flags.mixed)
    total = min(flags.steps or len(plan), len(plan))
    if flags.start:
        CONFIG["num_hidden_layers"] = json.load(open(f"{flags.start}/config.json"))["num_hidden_layers"]
    model = Llama()
    if flags.start:
        start_from(model, flags.start, f"{flags.data}/tokenizer.json")
    at_start = {name: p.clone() for name, p in model.state_dict().items()}
    kept = tuple(json.load(open(flags.keep))) if flags.keep else ()
    for name, p in model.named_parameters():
        p.requires_grad_(not name.startswith(kept))
    trained = [p for p in model.parameters() if p.requires_grad]
    decay = [p for p in trained if p.dim() == 2]
    plain = [p for p in trained if p.dim() < 2]
    optimiser = torch.optim.AdamW([{"params": decay, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}],
                                  lr=flags.lr, betas=(0.9, 0.98))
    checkpoint, start = f"{flags.data}/checkpoint.pt", 0
    if flags.resume and os.path.exists(checkpoint):
        saved = torch.load(checkpoint)
        model.load_state_dict(saved["model"]), optimiser.load_state_dict(saved["optimiser"])
        start = saved["step"]
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {total} steps", flush=True)
    began = saved_at = time.time()
    shown = {}
    for step in range(start, total):
        index, rows = plan[step]
        rate = flags.lr * min(1, (step + 1) / 100, max(0.02, (total - step) / max(1, flags.decay * total)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        ids, marks = (d[rows] for d in data[index])
        ids = ids.to(torch.int64)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=flags.bf16):
            loss, right, whole = model.loss(ids, marks)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        shown.setdefault(phases[index]["width"], []).append((loss.item(), right))
        if (step + 1) % 50 == 0:
            line = " ".join(f"w{w}: {sum(a for a, _ in v) / len(v):.3f} {sum(b for _, b in v) / len(v):.3f}" for w, v in sorted(shown.items()))
            print(f"step {step + 1} {time.time() - began:.0f}s lr {rate:.1e} {line}", flush=True)
            shown = {}
        if time.time() - saved_at > flags.save_every:
            saved_at = time.time()
            save(model, optimiser, step + 1, checkpoint)
            export(model, flags.out, step + 1)
    save(model, optimiser, total, checkpoint)
    if flags.average:
        model.load_state_dict({name: (p + at_start[name]) / 2 for name, p in model.state_dict().items()})
    export(model, flags.out, total)
    with torch.no_grad():
        held_out = [(d[0][:64].to(torch.int64), d[1][:64]) for d in data]
        scores = [f"w{p['width']} {model.loss(*rows)[2]:.3f}" for p, rows in zip(phases, held_out)]
    print("held-out rows all right: " + " ".join(scores), flush=True)


if __name__ == "__main__":
    main()
