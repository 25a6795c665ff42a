"""Makes the LoRA adapters of this folder for the reference checkpoints in ../fixtures, and their logits, with PEFT.

    python make_adapters.py
Written with torch 2.13, transformers 5.18, peft 0.21. Each adapter has seeded random A and B.
"""

import json
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

HERE = Path(__file__).parent
BASES = HERE.parent / "fixtures"

ADAPTERS = {
    "patterns": ("llama", dict(
        r=3, lora_alpha=4, use_rslora=True, lora_dropout=0.1,
        target_modules=r"(.*\.)?(q_proj|o_proj|gate_proj|lm_head)",
        rank_pattern={"q_proj": 2, r"layers\.1\.self_attn\.o_proj": 1}, alpha_pattern={"gate_proj": 9},
    )),
    "layers": ("qwen3", dict(
        r=2, lora_alpha=3, target_modules=["q_proj", "k_proj", "v_proj", "up_proj", "down_proj"], exclude_modules=["k_proj"],
        layers_to_transform=[1], layers_pattern="layers",
    )),
    "everything": ("smollm3", dict(r=1, lora_alpha=2, target_modules="all-linear")),
    "fused": ("phi3", dict(
        r=2, lora_alpha=2, fan_in_fan_out=True, target_modules=["qkv_proj", "gate_up_proj", "down_proj"],
    )),
}

for seed, (name, (base, settings)) in enumerate(ADAPTERS.items()):
    torch.manual_seed(100 + seed)
    model = AutoModelForCausalLM.from_pretrained(BASES / base, dtype=torch.float32, attn_implementation="eager")
    model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **settings)).eval()
    for key, parameter in model.named_parameters():
        if "lora_" in key:
            torch.nn.init.normal_(parameter, std=0.5)
    out = HERE / name
    model.save_pretrained(out)
    (out / "README.md").unlink(missing_ok=True)
    config = json.loads((out / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = base
    (out / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    golden = json.loads((BASES / base / "golden.json").read_text())
    ids = torch.tensor([golden["ids"]])
    with torch.no_grad():
        logits = model(ids).logits[0]
    save_file({"logits": logits.contiguous()}, out / "golden.safetensors")
    print(name, base, tuple(logits.shape), float(logits.abs().max()))
