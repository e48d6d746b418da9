"""Networks small enough to know the answer by hand."""

import torch
from torch import nn


class LooksAtOneChannel(nn.Module):
    """Three classes scored by a curved function of one channel's mean; the other two channels change nothing."""

    def __init__(self, channel):
        super().__init__()
        self.channel = channel
        self.weights = nn.Parameter(torch.tensor([3.0, -2.0, 0.5]))

    def forward(self, images):
        mean = images[:, self.channel].mean(dim=(1, 2))[:, None]  # (B, 1)
        return self.weights * mean + mean**2 * torch.tensor([1.0, 0.0, -1.0])


class AddsAndMultiplies(nn.Module):
    """Class 0 scores a + 2·b + a·c for the means a, b, c of the channels; class 1 scores 0."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.dropout = nn.Dropout(0.5)

    def forward(self, images):
        a, b, c = self.dropout(images.mean(dim=(2, 3))).unbind(1)
        score = self.scale * (a + 2 * b + a * c)
        return torch.stack([score, torch.zeros_like(score)], dim=1)


class Fails(nn.Module):
    """Raises as soon as it is used; has a part in training mode and one not."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)
        self.dropout = nn.Dropout(0.5).eval()

    def forward(self, images):
        self.conv(images)
        raise RuntimeError("the network failed")


def state(model):
    """Return modes, gradient settings and numbers of hooks of a network."""
    return (
        [module.training for module in model.modules()],
        [parameter.requires_grad for parameter in model.parameters()],
        [
            len(module._forward_hooks) + len(module._forward_pre_hooks) + len(module._backward_hooks)
            for module in model.modules()
        ],
    )
