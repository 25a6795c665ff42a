"""Inserts three blocks into a checkpoint with which it copies by place: what repeats is not told apart by what it says.

python3 copy_by_place.py --data build/count --base build/first --out build/count

Induction finds a text again by its content, and has no hold where all words are alike. The first two blocks note down how
far each token of a chat stands behind the role of its turn, as cosines and sines of five frequencies; they are trained
to do that and nothing else. The third looks from each token of an answer to the token of the prompt that stands as far
behind its own role, and one further, and notes what it is. Its first weights are solved for, then it is trained on
copies and other rows while all else stays. What the other blocks make of its notes they learn in a second pass over the
tasks, in which everything that finds the place stays as it is: `keep.json` beside the weights says to train.py what.

All are blocks like the others: the result is a plain Llama checkpoint again. Needs PyTorch alone.
"""
import argparse, collections, json, math, random, time
import torch
import torch.nn.functional as F
from torch import nn
from train import CONFIG, END, LEARNED, Block, Llama, begin, export, load_phase, rotary, start_from, which_are_seen

IM_START, IM_END = 1, 2
HEAD = CONFIG["head_dim"]
AMPLITUDE = 3.0  # of the cosines and sines
PERIODS = [0, 2, 4, 6, 8]  # of the frequencies that RoPE has: about 6, 20, 63, 199 and 628 tokens
NOTED_BY = [[0, 4, 8], [2, 6, 0]]  # which of them the first and the second block note; both note the finest
COMPARED_AT = {0: 15, 4: 14, 8: 13, 2: 12, 6: 11}  # dimensions of the third block's heads that RoPE turns least
SHARPNESS = 40.0  # of the third block's attention, before it is trained
FIRST = 1  # where the first block comes to stand
THIRD = FIRST + len(NOTED_BY)


def place_in_turn(ids, roles):
    """How far tokens stand behind the role of their turn [rows, tokens]; -1 where there is none."""
    places = torch.arange(ids.shape[1]).expand_as(ids)
    nowhere = torch.full_like(ids, -1)
    role = torch.isin(ids, roles)
    role[:, 1:] &= ids[:, :-1] == IM_START
    role[:, 0] = False
    start = torch.where(role, places, nowhere).cummax(1).values
    end = torch.where(ids == END, places, nowhere).cummax(1).values
    return torch.where((start >= 0) & (start > end), places - start, nowhere).float()


def code(place):
    """The place as cosines and sines [..., 2 for each period]."""
    angles = [CONFIG["rope_theta"] ** (-f / (HEAD // 2)) * place for f in PERIODS]
    return AMPLITUDE * torch.stack([g(a) for a in angles for g in (torch.cos, torch.sin)], -1)


def states(model, ids, marks, blocks):
    """What goes into block number `blocks` [rows, tokens, width]."""
    x, seen = model.embed_tokens(ids), which_are_seen(ids, marks)
    cos, sin = rotary(ids.shape[1])
    for block in model.layers[:blocks]:
        x = block(x, cos, sin, seen)
    return x


def empty_block():
    """A block that adds nothing yet."""
    block = Block()
    with torch.no_grad():
        for p in block.parameters():
            if p.dim() == 2:
                p.zero_()
        for p in (block.gate_proj, block.up_proj):
            nn.init.normal_(p.weight, std=0.03)
    return block


def ridge(x, y, weights=None, penalty=1.0):
    """Weights [width, outputs] with which `x` [n, width] gives `y` [n, outputs] best."""
    weighted = x if weights is None else x * weights[:, None]
    return torch.linalg.solve(weighted.T @ x + penalty * torch.eye(x.shape[1]), weighted.T @ y)


def normed(x):
    return F.rms_norm(x, (x.shape[-1],), None, CONFIG["rms_norm_eps"])


@torch.no_grad()
def quiet_directions(model, ids, marks):
    """Directions [2 for each period, width] in which the states of all blocks differ least."""
    real = (ids != END).reshape(-1)
    deep = torch.cat([
        states(model, ids, marks, blocks).reshape(len(real), -1)[real] for blocks in range(1, len(model.layers) + 1)
    ])
    deep = deep - deep.mean(0)
    return torch.linalg.eigh(deep.T @ deep / len(deep)).eigenvectors[:, :2 * len(PERIODS)].T.clone()


@torch.no_grad()
def noting_block(model, ids, marks, roles, line_break, at, periods, directions):
    """A block whose heads look at the role of the turn and at the line break behind it: the share of each tells the
    distance, roughly. Two heads for each period, a quarter of a turn apart, write it into the directions."""
    real = (ids != END).reshape(-1)
    token, before = ids.reshape(-1)[real], torch.roll(ids, 1, 1).reshape(-1)[real]
    n = normed(states(model, ids, marks, at).reshape(len(real), -1))[real]
    kinds = [kind for role in roles for kind in (token == role, (token == line_break) & (before == role))]
    weights = torch.ones(len(n))
    for kind in kinds:
        weights[kind] = 0.25 * len(n) / kind.sum()
    read = ridge(n, torch.stack([kind.float() for kind in kinds], 1), weights)
    read = read / torch.stack([(n @ read)[kind, i].mean() for i, kind in enumerate(kinds)])
    always = ridge(n, torch.ones(len(n), 1))[:, 0]
    role, after, newest = read[:, 0] + read[:, 2], read[:, 1] + read[:, 3], read[:, 2] + read[:, 3]
    block, unit, slow = empty_block(), HEAD ** 0.25, HEAD // 2 - 1
    width = n.shape[1]
    q, k, v = (p.weight.view(-1, HEAD, width) for p in (block.q_proj, block.k_proj, block.v_proj))
    o = block.o_proj.weight.view(width, -1, HEAD)
    for h, f in enumerate(periods):
        k[h, slow] = (14 * read.sum(1) + 7 * newest) * unit
        k[h, f] = role * unit
        v[h, 0] = role - after
        writers = sum(noted.count(f) for noted in NOTED_BY)
        for j, phase in enumerate((0.0, math.pi / 2)):
            q[2 * h + j, slow] = always * unit
            q[2 * h + j, f] = always * unit * math.cos(phase)
            q[2 * h + j, f + HEAD // 2] = -always * unit * math.sin(phase)
            o[:, 2 * h + j, 0] = directions[2 * PERIODS.index(f) + j] * 2 * AMPLITUDE / writers
    return block


def draw_rows(data, draw):
    tokens, marks = draw.choice(data)
    rows = [draw.randrange(len(tokens)) for _ in range(max(1, 2048 // tokens.shape[1]))]
    return tokens[rows].to(torch.int64), marks[rows]


def optimise(optimiser, parameters, loss, step, steps):
    for group in optimiser.param_groups:
        group["lr"] = 2e-3 * min(1, (step + 1) / 20, 2 * (steps - step) / steps)
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(parameters, 1.0)
    optimiser.step()


def train_noting(model, data, directions, roles, steps, say):
    blocks = model.layers[FIRST:THIRD]
    optimiser, draw = torch.optim.Adam(blocks.parameters()), random.Random(1)
    for step in range(steps):
        ids, marks = draw_rows(data, draw)
        with torch.no_grad():
            x = states(model, ids, marks, FIRST)
        (cos, sin), seen, after = rotary(ids.shape[1]), which_are_seen(ids, marks), x
        for block in blocks:
            after = block(after, cos, sin, seen)
        place = place_in_turn(ids, roles)
        wrong = (after @ directions.T - code(place))[place > 1] ** 2
        besides = (after - x) - ((after - x) @ directions.T) @ directions
        optimise(optimiser, blocks.parameters(), wrong.mean() + 0.3 * (besides ** 2).mean(), step, steps)
        if (step + 1) % 100 == 0:
            explained = [round(1 - w / (AMPLITUDE ** 2 / 2), 3) for w in wrong.mean(0).tolist()]
            say(f"places, step {step + 1}: {explained} explained")


def text_offset(ids):
    """Where copied texts begin behind the role of their turn, as most copies have it."""
    found = collections.Counter()
    for row in ids.tolist():
        turns = [i for i, t in enumerate(row) if t == IM_START] + [len(row)]
        for user, assistant, after in zip(turns[0::2], turns[1::2], turns[2::2]):
            ends = [next((i for i in range(*turn) if row[i] == IM_END), None) for turn in ((user, assistant), (assistant, after))]
            if None not in ends:
                found[ends[0] - (ends[1] - assistant - 3) - (user + 2)] += 1
    return found.most_common(1)[0][0]


@torch.no_grad()
def copying_block(model, ids, marks, directions, shift):
    """A block that attends to the place `shift` further behind the other role, and writes what token stands there."""
    real = (ids != END).reshape(-1)
    n = normed(states(model, ids, marks, THIRD).reshape(len(real), -1))[real]
    width = n.shape[1]
    read = directions / ((n @ directions.T).std(0)[:-2].mean() * math.sqrt(2))
    embeddings = model.embed_tokens.weight
    target = embeddings[ids.reshape(-1)[real]] - embeddings.mean(0)
    main = torch.linalg.svd(target, full_matrices=False)[2][:CONFIG["num_key_value_heads"] * HEAD]
    identity = ridge(n, target @ main.T, penalty=3.0)
    block, unit = empty_block(), math.sqrt(SHARPNESS * math.sqrt(HEAD) * 2 / 3)
    q, k, v = (p.weight.view(-1, HEAD, width) for p in (block.q_proj, block.k_proj, block.v_proj))
    o = block.o_proj.weight.view(width, -1, HEAD)
    for h in range(CONFIG["num_key_value_heads"]):
        for i, f in enumerate(PERIODS):
            angle = CONFIG["rope_theta"] ** (-f / (HEAD // 2)) * shift
            c, s = math.cos(angle), math.sin(angle)
            a, b = COMPARED_AT[f], COMPARED_AT[f] + HEAD // 2
            k[h, a], k[h, b] = unit * read[2 * i], unit * read[2 * i + 1]
            for j in (2 * h, 2 * h + 1):
                q[j, a] = unit * (c * read[2 * i] - s * read[2 * i + 1])
                q[j, b] = unit * (c * read[2 * i + 1] + s * read[2 * i])
        v[h] = identity[:, HEAD * h:HEAD * (h + 1)].T
        for j in (2 * h, 2 * h + 1):
            o[:, j] = main[HEAD * h:HEAD * (h + 1)].T
    return block


def train_copying(model, data, steps, say):
    block, draw, shown = model.layers[THIRD], random.Random(2), []
    for p in model.parameters():
        p.requires_grad_(False)
    for p in block.parameters():
        p.requires_grad_(True)
    optimiser = torch.optim.Adam(block.parameters(), betas=(0.9, 0.98))
    for step in range(steps):
        ids, marks = draw_rows([data[0], *data], draw)
        learn = (marks[:, 1:] & LEARNED).bool()
        logits = F.linear(model.hidden(ids, marks)[:, :-1][learn], model.embed_tokens.weight)
        gold = ids[:, 1:][learn]
        optimise(optimiser, block.parameters(), F.cross_entropy(logits, gold), step, steps)
        right = (logits.argmax(-1) == gold).float()
        shown.append([(which.sum().item(), len(which)) for which in (right, right[gold == IM_END])])
        if (step + 1) % 50 == 0:
            tokens, ends = (sum(r for r, _ in one) / max(1, sum(n for _, n in one)) for one in zip(*shown))
            say(f"copies, step {step + 1}: right {tokens:.3f} of tokens, {ends:.3f} of ends")
            shown = []


def kept_parameters():
    """Beginnings of the names of what finds the place: a later pass of train.py is to leave it as it is."""
    third = [f"layers.{THIRD}.{part}" for part in ("input_layernorm", "q_proj", "k_proj")]
    return ["embed_tokens", *(f"layers.{i}." for i in range(THIRD)), *third]


def main():
    flags = argparse.ArgumentParser()
    flags.add_argument("--data", required=True, help="folder of rows of copies, short ones first, and others")
    flags.add_argument("--base", required=True, help="folder of the checkpoint")
    flags.add_argument("--out", required=True)
    flags.add_argument("--noting", type=int, default=1200, help="steps of the blocks that note the place")
    flags.add_argument("--copying", type=int, default=250, help="steps of the block that copies")
    flags.add_argument("--threads", type=int, default=0)
    flags = flags.parse_args()
    spec = begin(flags)
    CONFIG["vocab_size"] = spec["vocabulary"]
    CONFIG["num_hidden_layers"] = json.load(open(f"{flags.base}/config.json"))["num_hidden_layers"]
    model = Llama()
    start_from(model, flags.base, f"{flags.data}/tokenizer.json")
    began = time.time()
    say = lambda line: print(f"{time.time() - began:.0f}s {line}", flush=True)
    data = [load_phase(flags.data, i, p["width"], p["rows"]) for i, p in enumerate(spec["phases"])]
    words = json.load(open(f"{flags.data}/tokenizer.json"))["model"]["vocab"]
    roles, line_break = torch.tensor([words["user"], words["assistant"]]), words["\u010a"]
    ids, marks = (torch.cat([data[i][part][:96] for i in (0, 1)]) for part in (0, 1))
    ids = ids.to(torch.int64)
    directions = quiet_directions(model, ids, marks)
    for at, periods in enumerate(NOTED_BY, FIRST):
        model.layers.insert(at, noting_block(model, ids, marks, roles, line_break, at, periods, directions))
    train_noting(model, data, directions, roles, flags.noting, say)
    model.layers.insert(THIRD, copying_block(model, ids, marks, directions, text_offset(ids[:96])))
    train_copying(model, data, flags.copying, say)
    CONFIG["num_hidden_layers"] = len(model.layers)
    export(model, flags.out, 0)
    json.dump(kept_parameters(), open(f"{flags.out}/keep.json", "w"))


if __name__ == "__main__":
    main()
