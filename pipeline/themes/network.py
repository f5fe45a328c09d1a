"""The sentence encoder as it is trained: a small BERT under heads for themes and valence, in PyTorch.

Three readings of a paragraph are learned together: its themes (a sigmoid each), the valence of each theme that is
there, and, under both, one vector. A theme is usually one clause, so each theme attends to the tokens by itself
(label-wise attention: Mullenbach et al. 2018, "Explainable prediction of medical codes from clinical text"), beside the
mean and the maximum over all tokens.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertModel

from pipeline.domain import VALENCES


class ByteDropout(nn.Module):  # type: ignore[misc]  # torch is not read by mypy here
    """Dropout whose mask compares random bytes: PyTorch's own, drawn number by number, takes eight times as long."""

    def __init__(self, rate: float, generator: np.random.Generator) -> None:
        super().__init__()
        self.dropped = round(256 * rate)
        self.generator = generator

    def forward(self, values: Tensor) -> Tensor:
        if not self.training or not self.dropped:
            return values
        drawn = np.frombuffer(bytearray(self.generator.bytes(values.numel())), np.uint8)
        kept = torch.from_numpy(drawn).view(values.shape) >= self.dropped
        return values * kept.to(values.dtype).mul_(256 / (256 - self.dropped))


class ThemeNetwork(nn.Module):  # type: ignore[misc]
    """The encoder and its heads: token ids in, (vector, theme logits, valence logits) out.

    Parameters
    ----------
    base : Path
        Folder of the base model (``config.json``, ``model.safetensors``).
    themes : int
        k, how many themes.
    dropout : float
        Share of values left out while training.
    seed : int
        Of the dropout's masks.
    """

    def __init__(self, base: Path, themes: int, dropout: float, seed: int) -> None:
        super().__init__()
        self.bert = BertModel.from_pretrained(base, add_pooling_layer=False)
        size = self.bert.config.hidden_size
        self.themes = themes
        self.vector_size = 2 * size
        self.drop = ByteDropout(dropout, np.random.Generator(np.random.SFC64(seed)))
        self.theme = nn.Linear(self.vector_size, themes)
        self.val = nn.Linear(self.vector_size, themes * len(VALENCES))
        self.q = nn.Parameter(torch.randn(themes, size) * 0.02)
        self.w = nn.Parameter(torch.randn(themes, size) * 0.02)
        self.vw = nn.Parameter(torch.randn(themes, len(VALENCES), size) * 0.02)
        # The word vectors are held: words that the labels lack keep their place.
        self.bert.embeddings.word_embeddings.requires_grad_(False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As the graph does it: the library's encoder, in 32 bits."""
        hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return self.heads(hidden, attention_mask)

    def embedded(self, input_ids: Tensor) -> Tensor:
        """Word and position vectors of the tokens, in bfloat16 [n, t, size]."""
        table = self.bert.embeddings
        positions = table.position_embeddings.weight[: input_ids.shape[1]]
        summed = table.word_embeddings(input_ids) + table.token_type_embeddings.weight[0] + positions
        return self.drop(table.LayerNorm(summed)).bfloat16()

    def through(self, hidden: Tensor, attention_mask: Tensor) -> Tensor:
        """All layers, in bfloat16.

        The library's layers under autocast compute the same and cast to and fro for as long as they compute. The
        attention is written out: on these short texts the fused kernel's way back took half of a step.
        """
        n, t, size = hidden.shape
        heads = self.bert.config.num_attention_heads
        bias = ((attention_mask == 0).bfloat16() * -1e4)[:, None, None, :]
        for layer in self.bert.encoder.layer:
            own, projected = layer.attention.self, layer.attention.output
            weight = torch.cat([own.query.weight, own.key.weight, own.value.weight]).bfloat16()
            shift = torch.cat([own.query.bias, own.key.bias, own.value.bias]).bfloat16()
            joined = functional.linear(hidden, weight, shift).view(n, t, 3, heads, size // heads)
            query, key, value = joined.permute(2, 0, 3, 1, 4)
            likeness = query @ key.transpose(2, 3) * (size // heads) ** -0.5 + bias
            mixed = self.drop(likeness.softmax(-1)) @ value
            mixed = mixed.transpose(1, 2).reshape(n, t, size)
            hidden = _normalised(hidden + self.drop(_linear(mixed, projected.dense)), projected.LayerNorm)
            wide = functional.gelu(_linear(hidden, layer.intermediate.dense))
            hidden = _normalised(hidden + self.drop(_linear(wide, layer.output.dense)), layer.output.LayerNorm)
        return hidden

    def heads(self, hidden: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Vector [n, 2 size], theme [n, k] and valence logits [n, k, 3] from the last hidden states [n, t, size]."""
        hidden = hidden.float()
        mask = attention_mask[..., None].float()
        mean = (hidden * mask).sum(1) / mask.sum(1)
        vector = torch.cat([mean, hidden.masked_fill(mask == 0, -1e4).max(1).values], 1)
        dropped = self.drop(vector)
        tokens = self.drop(hidden)
        attention = (tokens @ self.q.T).masked_fill(mask == 0, -1e4).softmax(1)
        clause = torch.einsum("ntk,ntd->nkd", attention, tokens)
        theme = self.theme(dropped) + (clause * self.w).sum(-1)
        valence = self.val(dropped).view(-1, self.themes, len(VALENCES)) + torch.einsum("nkd,kcd->nkc", clause, self.vw)
        return vector, theme, valence


def _linear(values: Tensor, module: nn.Linear) -> Tensor:
    return functional.linear(values, module.weight.bfloat16(), module.bias.bfloat16())


def _normalised(values: Tensor, module: nn.LayerNorm) -> Tensor:
    shape, weight, shift = values.shape[-1:], module.weight.bfloat16(), module.bias.bfloat16()
    return functional.layer_norm(values, shape, weight, shift, module.eps)
