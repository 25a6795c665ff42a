"""Trains a LoRA adapter of the embedded model on a token file of corpus.ts and writes it in PEFT's layout.

python3 train_lora.py --data build/doubt --base .. --out ../../pocket-doubt [--steps N]

Needs PyTorch alone. W x + (alpha / r) B (A x) on the query and value projections (Hu et al. 2021); the base stays as
it is.
"""
import argparse, json, os, time
import torch
import torch.nn as nn
from train import CONFIG, Llama, begin, checkpoint_name, load_phase, save_safetensors, schedule, start_from

TARGETS = ("q_proj", "v_proj")


class Lora(nn.Module):
    def __init__(self, linear, rank, alpha):
        super().__init__()
        self.linear, self.scale = linear, alpha / rank
        self.a = nn.Parameter(torch.randn(rank, linear.in_features) / linear.in_features ** 0.5)
        self.b = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, x):
        return self.linear(x) + self.scale * (x @ self.a.T) @ self.b.T


def main():
    flags = argparse.ArgumentParser()
    flags.add_argument("--data", required=True)
    flags.add_argument("--base", required=True, help="folder of the checkpoint it changes")
    flags.add_argument("--name", default="pocket", help="what the adapter calls its base")
    flags.add_argument("--out", required=True)
    flags.add_argument("--steps", type=int, default=0, help="stop after this many steps (0: one pass)")
    flags.add_argument("--tokens", type=int, default=2048, help="tokens in each step")
    flags.add_argument("--rank", type=int, default=4)
    flags.add_argument("--alpha", type=float, default=8)
    flags.add_argument("--lr", type=float, default=2e-3)
    flags.add_argument("--threads", type=int, default=0)
    flags = flags.parse_args()
    spec = begin(flags)
    phases = spec["phases"]
    CONFIG.update(json.load(open(f"{flags.base}/config.json")))
    data = [load_phase(flags.data, i, p["width"], p["rows"]) for i, p in enumerate(phases)]
    model = Llama()
    start_from(model, flags.base, f"{flags.base}/tokenizer.json")
    for p in model.parameters():
        p.requires_grad_(False)
    adapters = {}
    for index, layer in enumerate(model.layers):
        for target in TARGETS:
            adapter = Lora(getattr(layer, target), flags.rank, flags.alpha)
            setattr(layer, target, adapter)
            adapters[checkpoint_name(f"layers.{index}.{target}.weight").removesuffix(".weight")] = adapter
    learned = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(learned, lr=flags.lr, weight_decay=0)
    plan = schedule(phases, flags.tokens, True)
    total = min(flags.steps or len(plan), len(plan))
    print(f"{sum(p.numel() for p in learned):,} parameters, {total} steps", flush=True)
    began = time.time()
    for step, (index, rows) in enumerate(plan[:total]):
        for group in optimiser.param_groups:
            group["lr"] = flags.lr * min(1, (step + 1) / 10, (total - step) / total * 2)
        ids, marks = (d[rows] for d in data[index])
        loss, right, _ = model.loss(ids.to(torch.int64), marks)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        if (step + 1) % 10 == 0 or step + 1 == total:
            print(f"step {step + 1} {time.time() - began:.0f}s loss {loss.item():.3f} right {right:.3f}", flush=True)
    os.makedirs(flags.out, exist_ok=True)
    tensors = {}
    for name, adapter in adapters.items():
        tensors[f"base_model.model.{name}.lora_A.weight"] = adapter.a.detach().to(torch.float16)
        tensors[f"base_model.model.{name}.lora_B.weight"] = adapter.b.detach().to(torch.float16)
    save_safetensors(f"{flags.out}/adapter_model.safetensors", tensors, {"format": "pt"})
    config = {
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": flags.name, "r": flags.rank,
        "lora_alpha": flags.alpha, "lora_dropout": 0.0, "target_modules": list(TARGETS), "bias": "none",
        "fan_in_fan_out": False, "inference_mode": True,
    }
    with open(f"{flags.out}/adapter_config.json", "w") as f:
        json.dump(config, f, indent=2)
        f.write("\n")


if __name__ == "__main__":
    main()
