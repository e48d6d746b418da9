"""The table of networks. It holds names only: nothing here imports torch, so that pages can read it.

A further torchvision classification network is one more entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from brainmri.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """One network.

    Parameters
    ----------
    name : str
        Key in settings, identifiers and files.
    display_name : str
        As people write it.
    builder : str
        Dotted ``module:function`` that returns the network for ``num_classes``.
    options : tuple of (str, object)
        Further keyword arguments of the builder.
    head : str
        Dotted name of the last layer, a `torch.nn.Linear`, which gets one output a class.
    target_layers : tuple of str
        Layers for Grad-CAM, late to early; the latest whose grid is fine enough is taken.
    blocks : tuple of str
        Modules, in forward order, at which partial fine-tuning may begin. With all before such a module (earlier
        siblings at each level of its name) replaced by `torch.nn.Identity`, the network computes from the module's
        input what the whole one computes.
    minimum_size_px : int
        Smallest side of an input that the network takes and that leaves one of its layers a grid of 6×6.
    published_files : tuple of str
        Torchvision's files of ImageNet weights, the preferred one first; the eight digits before ``.pth`` begin the
        sha256.
    published_layers_unused : tuple of str
        Prefixes of weights in that file that this software leaves out.
    published_layers_renamed : tuple of (str, str)
        Regular expressions for names of weights in that file, and what takes the place of their match.
    parameters : int
        Numbers that a network for three classes has: what a stored one takes on disk.
    relative_cost : float
        Work for one image of 64 px relative to AlexNet, roughly; weighs progress until there are measurements. For the
        further networks the operations of a forward pass, as `torch.utils.flop_counter` counts them; time differs,
        because depthwise convolutions (EfficientNet, ConvNeXt) wait for memory.
    """

    name: str
    display_name: str
    builder: str
    options: tuple[tuple[str, object], ...] = ()
    head: str
    target_layers: tuple[str, ...]
    blocks: tuple[str, ...] = ()
    minimum_size_px: int
    published_files: tuple[str, ...]
    published_layers_unused: tuple[str, ...] = ()
    parameters: int = 0
    published_layers_renamed: tuple[tuple[str, str], ...] = ()
    relative_cost: float = 1.0


_TABLE = (
    Architecture(
        name="alexnet",
        display_name="AlexNet",
        builder="torchvision.models:alexnet",
        head="classifier.6",
        # Activations after a ReLU. The convolutions before them (10, 3, 0) are overwritten in place by that ReLU, so
        # that a plain hook on them reads something else than it should; 12, the last pooling, is 6×6 at 224 px and
        # often all zero.
        target_layers=("features.11", "features.4", "features.1"),
        # The classifier begins with its dropout, so that training from stored activations drops as the whole does.
        blocks=("features.6", "features.8", "features.10", "classifier.0"),
        minimum_size_px=63,
        published_files=("alexnet-owt-7be5be79.pth",),
        parameters=57_016_131,
        relative_cost=1.0,
    ),
    Architecture(
        name="googlenet",
        display_name="GoogLeNet",
        builder="torchvision.models:googlenet",
        # Without the auxiliary heads: 6-7 % faster, 5.6 instead of 9.9 million weights, and the published file has no
        # trained ones. transform_input would normalise a second time, as for photographs: the engine has done it once
        # already.
        options=(("aux_logits", False), ("transform_input", False), ("init_weights", False)),
        head="fc",
        target_layers=("inception5b", "inception4e", "inception3b"),
        blocks=("inception3a", "inception4a", "inception5a"),
        minimum_size_px=48,
        published_files=("googlenet-1378be20.pth",),
        published_layers_unused=("aux1.", "aux2."),
        parameters=5_602_979,
        relative_cost=1.0,
    ),
    Architecture(
        name="resnet50",
        display_name="ResNet50",
        builder="torchvision.models:resnet50",
        head="fc",
        target_layers=("layer4.2", "layer3.5", "layer2.3"),
        blocks=("layer2", "layer3", "layer4"),
        minimum_size_px=48,
        # IMAGENET1K_V1, trained as the other two were; V2, of a longer recipe, serves where only it is there.
        published_files=("resnet50-0676ba61.pth", "resnet50-11ad3fa6.pth"),
        parameters=23_514_179,
        relative_cost=3.0,
    ),
    Architecture(
        name="densenet121",
        display_name="DenseNet121",
        builder="torchvision.models:densenet121",
        head="classifier",
        # The dense blocks themselves: the normalisation behind the last of them is overwritten in place by a ReLU.
        target_layers=("features.denseblock4", "features.denseblock3", "features.denseblock2"),
        blocks=("features.denseblock2", "features.denseblock3", "features.denseblock4"),
        minimum_size_px=45,
        published_files=("densenet121-a639ec97.pth",),
        # The file is older than the rule that a module's name holds no dot: its layers are norm.1, conv.1, norm.2, …
        published_layers_renamed=((r"(denselayer\d+\.(?:norm|conv))\.([12])\.", r"\1\2."),),
        parameters=6_956_931,
        relative_cost=2.5,
    ),
    Architecture(
        name="efficientnet_b0",
        display_name="EfficientNet-B0",
        builder="torchvision.models:efficientnet_b0",
        head="classifier.1",
        target_layers=("features.8", "features.5", "features.3"),
        blocks=("features.3", "features.4", "features.5", "features.6", "features.7"),
        minimum_size_px=41,
        published_files=("efficientnet_b0_rwightman-7f5810bc.pth",),
        parameters=4_011_391,
        relative_cost=0.35,
    ),
    Architecture(
        name="convnext_tiny",
        display_name="ConvNeXt-Tiny",
        builder="torchvision.models:convnext_tiny",
        head="classifier.2",
        target_layers=("features.7", "features.5", "features.3"),
        blocks=("features.3", "features.5", "features.7"),
        minimum_size_px=48,
        published_files=("convnext_tiny-983f1562.pth",),
        parameters=27_822_435,
        relative_cost=3.9,
    ),
)

ARCHITECTURES: Final[dict[str, Architecture]] = {entry.name: entry for entry in _TABLE}
"""Every network by its name: models 1, 2 and 3 of the published study in this order, then those that are off until
somebody chooses them."""

DISPLAY_NAMES: Final[dict[str, str]] = {name: entry.display_name for name, entry in ARCHITECTURES.items()}


def display_architecture(name: str) -> str:
    """Return the network's name as people write it; one that is not in the table comes back as it is."""
    return DISPLAY_NAMES.get(name, name)


def find_architecture(name: str) -> Architecture:
    """Return the entry of a network.

    Raises
    ------
    UsageError
        Where there is none; the message names those that are known.
    """
    if name not in ARCHITECTURES:
        raise UsageError(f"Unknown architecture '{name}'; known are {', '.join(ARCHITECTURES)}.")
    return ARCHITECTURES[name]
