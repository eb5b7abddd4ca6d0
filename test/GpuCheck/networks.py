"""The built-in BERT and GPT-2 in PyTorch, on the weights of an artifact (Model.weights())."""

import torch
import torch.nn.functional as F


def tensor_of(array, dtype, device):
    return torch.from_numpy(array.copy()).to(device=device, dtype=dtype)


def attention(q, k, v, mask):
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    # Before PyTorch 2.
    scores = (q @ k.transpose(-1, -2)) * q.shape[-1] ** -0.5
    return scores.masked_fill(~mask, -float("inf")).softmax(-1) @ v


class Network(torch.nn.Module):
    """Weights by Hugging Face's names. Normalization, softmax and the residual sums are of PyTorch's choice for the dtype."""

    def __init__(self, weights, prefix, dtype, device):
        super().__init__()
        self.names = {}
        for name, array in weights.items():
            key = name.removeprefix(prefix).replace(".", "_")
            self.register_buffer(key, tensor_of(array, dtype, device))

    def get(self, name):
        return getattr(self, name.replace(".", "_"))

    def norm(self, x, name, eps):
        return F.layer_norm(x, x.shape[-1:], self.get(name + ".weight"), self.get(name + ".bias"), eps)


class Bert(Network):
    def __init__(self, weights, layers, heads, dtype, device, eps=1e-12):
        super().__init__(weights, "bert.", dtype, device)
        self.layers, self.heads, self.eps = layers, heads, eps

    def linear(self, x, name):
        return F.linear(x, self.get(name + ".weight"), self.get(name + ".bias"))

    def forward(self, input_ids, attention_mask, token_type_ids):
        batch, seq = input_ids.shape
        x = self.get("embeddings.word_embeddings.weight")[input_ids] + self.get("embeddings.token_type_embeddings.weight")[token_type_ids]
        x = self.norm(x + self.get("embeddings.position_embeddings.weight")[:seq], "embeddings.LayerNorm", self.eps)
        mask = (attention_mask != 0)[:, None, None, :]
        for number in range(self.layers):
            name = f"encoder.layer.{number}."
            heads = [self.linear(x, name + "attention.self." + part).view(batch, seq, self.heads, -1).transpose(1, 2) for part in ("query", "key", "value")]
            context = attention(*heads, mask).transpose(1, 2).reshape(batch, seq, -1)
            x = self.norm(self.linear(context, name + "attention.output.dense") + x, name + "attention.output.LayerNorm", self.eps)
            inner = F.gelu(self.linear(x, name + "intermediate.dense"))
            x = self.norm(self.linear(inner, name + "output.dense") + x, name + "output.LayerNorm", self.eps)
        return x, torch.tanh(self.linear(x[:, 0], "pooler.dense"))


class Gpt(Network):
    def __init__(self, weights, layers, heads, dtype, device, eps=1e-5):
        super().__init__(weights, "transformer.", dtype, device)
        self.layers, self.heads, self.eps = layers, heads, eps

    def linear(self, x, name):
        return x @ self.get(name + ".weight") + self.get(name + ".bias")

    def forward(self, input_ids, attention_mask, *past):
        """past: key and value of each layer, [batch, heads, past, size]; gives the logits, then what is past for the next step."""
        batch, seq = input_ids.shape
        before = past[0].shape[2]
        places = torch.arange(before, before + seq, device=input_ids.device)
        x = self.get("wte.weight")[input_ids] + self.get("wpe.weight")[places]
        keys = torch.arange(before + seq, device=input_ids.device)
        mask = (keys[None, :] <= places[:, None])[None, None] & (attention_mask != 0)[:, None, None, :]
        present = []
        for number in range(self.layers):
            name = f"h.{number}."
            q, k, v = self.linear(self.norm(x, name + "ln_1", self.eps), name + "attn.c_attn").view(batch, seq, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            k, v = torch.cat([past[2 * number], k], 2), torch.cat([past[2 * number + 1], v], 2)
            present += [k, v]
            context = attention(q, k, v, mask).transpose(1, 2).reshape(batch, seq, -1)
            x = x + self.linear(context, name + "attn.c_proj")
            inner = F.gelu(self.linear(self.norm(x, name + "ln_2", self.eps), name + "mlp.c_fc"), approximate="tanh")
            x = x + self.linear(inner, name + "mlp.c_proj")
        return (self.norm(x, "ln_f", self.eps) @ self.get("wte.weight").T, *present)


def make(family, weights, layers, heads, dtype, device):
    return (Bert if family == "bert" else Gpt)(weights, layers, heads, dtype, device).eval()


def make_inputs(family, config, sizes, dtype, device, seed=5):
    """The model's inputs by name, in the order of the graph. A mask hides the last keys of the last sequence."""
    generator = torch.Generator().manual_seed(seed)
    batch, seq, past = sizes["batch"], sizes["seq"], sizes.get("past", 0)
    integers = lambda high, *shape: torch.randint(0, high, shape, generator=generator)
    mask = torch.ones(batch, past + seq, dtype=torch.int64)
    if batch > 1 and seq > 2:
        mask[-1, -(seq // 3):] = 0
    result = {"input_ids": integers(config["vocab"], batch, seq), "attention_mask": mask}
    if family == "bert":
        result["token_type_ids"] = integers(2, batch, seq)
    else:
        size = config["hidden"] // config["heads"]
        for number in range(config["layers"]):
            for part in ("key", "value"):
                result[f"past_key_values.{number}.{part}"] = torch.randn(batch, config["heads"], past, size, generator=generator).to(dtype)
    return {name: tensor.to(device) for name, tensor in result.items()}
