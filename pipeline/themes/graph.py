"""From a trained network to the graph that the run time reads: ONNX, fused, in 8 bits."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from pipeline.files import written_whole
from pipeline.themes.encoder import GRAPH_INPUTS, GRAPH_OUTPUTS
from pipeline.themes.network import ThemeNetwork


def export(network: ThemeNetwork, path: Path) -> None:
    """Write the network as an ONNX graph: its attention and normalisation fused, its weights in 8 bits.

    7 of the 8 bits are used (``reduce_range``): without it, processors that lack VNNI saturate and give other numbers.
    The heads stay in 32 bits: they are small, and the themes hang on them.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers import optimizer

    network.eval()
    network.bert.config._attn_implementation = "eager"  # the form of attention that the optimiser knows
    ids = torch.arange(1, 6)[None]  # any text will do: its length is left open
    axes = {name: {0: "texts", 1: "tokens"} for name in GRAPH_INPUTS} | {name: {0: "texts"} for name in GRAPH_OUTPUTS}
    with tempfile.TemporaryDirectory() as folder, written_whole(path) as whole:
        plain, fused = Path(folder) / "plain.onnx", Path(folder) / "fused.onnx"
        torch.onnx.export(
            network,
            (ids, torch.ones_like(ids)),
            str(plain),
            input_names=list(GRAPH_INPUTS),
            output_names=list(GRAPH_OUTPUTS),
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
        config = network.bert.config
        optimizer.optimize_model(
            str(plain), "bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size, opt_level=0
        ).save_model_to_file(str(fused))
        heads = [
            node.name
            for node in onnx.load(fused).graph.node
            if node.op_type in ("MatMul", "Gemm", "Einsum") and "/bert/" not in node.name
        ]
        quantize_dynamic(
            fused,
            whole,
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=heads,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )
        part_normalisation(whole)


def part_normalisation(path: Path) -> None:
    """Write each joined addition and normalisation of a graph as the two steps it is made of, in place.

    onnxruntime has a fast normalisation, but not under the joined operation, which took a fifth of a text's time.
    """
    import onnx
    from onnx import helper

    model = onnx.load(path)
    nodes = []
    for node in model.graph.node:
        if node.op_type != "SkipLayerNormalization":
            nodes.append(node)
            continue
        assert not any(node.output[1:]), "the mean and deviation of a joined normalisation are used"
        given, skip, weight, shift, *bias = node.input
        epsilon = {attribute.name: attribute.f for attribute in node.attribute}["epsilon"]
        if bias:
            nodes.append(helper.make_node("Add", [given, bias[0]], [f"{node.name}_biased"]))
            given = f"{node.name}_biased"
        nodes.append(helper.make_node("Add", [given, skip], [f"{node.name}_sum"]))
        inputs = [f"{node.name}_sum", weight, shift]
        nodes.append(helper.make_node("LayerNormalization", inputs, [node.output[0]], axis=-1, epsilon=epsilon))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, path)
