"""Maps of layers against captum, pytorch-grad-cam, plain gradients, and numbers worked out by hand."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import cv2
import numpy as np
import pytest
import pytorch_grad_cam
import torch
from captum.attr import LayerAttribution, LayerGradCam
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from brainmri.explanation.cams import COMBINE, grad_cam_plus_plus, layer_maps, signed_grad_cam
from brainmri.explanation.maps import upsample
from brainmri.training.architectures import build_model, target_layer
from tests.explanation.networks import state

PUBLISHED = ("alexnet", "googlenet", "resnet50")
FURTHER = ("densenet121", "efficientnet_b0", "convnext_tiny")
SIZES = [(name, size) for name in PUBLISHED for size in (64, 96, 224)]
SIZES += [(name, size) for name in FURTHER for size in (64, 96)]


class TinyNetwork(nn.Module):
    """Two channels made from the first colour, x and 2x; two classes that weigh their means."""

    def __init__(self, head):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1, bias=False)
        self.head = nn.Linear(2, 2, bias=False)
        self.dropout = nn.Dropout(0.5)
        with torch.no_grad():
            self.conv.weight.zero_()
            self.conv.weight[0, 0], self.conv.weight[1, 0] = 1.0, 2.0
            self.head.weight.copy_(torch.tensor(head))

    def forward(self, images):
        return self.head(self.dropout(self.conv(images).mean(dim=(2, 3))))


def every_class(images, classes):
    return torch.arange(classes).expand(len(images), classes)


def cam(name, model, layer, images, targets, **options):
    """Return the maps (N, h, w) of one class an image."""
    return layer_maps(model, layer, images, torch.tensor(targets)[:, None], COMBINE[name], **options)[:, 0]


def grad_cam(*arguments, **options):
    return cam("gradcam", *arguments, **options)


def grad_cam_of_all_classes(model, layer, images, classes, **options):
    return layer_maps(model, layer, images, every_class(images, classes), COMBINE["gradcam"], **options)


@cache
def random_network(architecture):
    """A network whose classes have opposed evidence: what one finds in a place, the others together lack."""
    torch.manual_seed(5)
    model = build_model(architecture, 3)
    with torch.no_grad():
        head = list(model.parameters())[-2].normal_(std=0.5)  # a fresh one is too faint to tell numbers apart
        head -= head.mean(dim=0)
    return model.eval()


def plain_grad_cam(model, layer, inputs, targets):
    """Grad-CAM without captum: activations out of a hook, gradients from autograd."""
    kept = []
    hook = layer.register_forward_hook(lambda _module, _inputs, output: kept.append(output))
    logits = model(inputs)
    hook.remove()
    score = logits[torch.arange(len(inputs)), torch.tensor(targets)].sum()
    (gradient,) = torch.autograd.grad(score, kept[0])
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    return torch.relu((weights * kept[0]).sum(dim=1)).detach().numpy()


@pytest.mark.parametrize(("architecture", "size_px"), SIZES)
def test_maps_are_captums_and_those_of_plain_gradients(architecture, size_px):
    model = random_network(architecture)
    inputs = torch.randn(1, 3, size_px, size_px, generator=torch.Generator().manual_seed(1)).repeat(3, 1, 1, 1)
    targets = [0, 1, 2]
    _name, layer = target_layer(architecture, model, size_px)
    maps = grad_cam(model, layer, inputs, targets)

    direct = LayerGradCam(model, layer).attribute(inputs, torch.tensor(targets), relu_attributions=True).detach()
    highest = float(direct.max())
    assert highest > 0
    assert min(maps.shape[1:]) >= 6
    np.testing.assert_allclose(maps, direct.numpy()[:, 0], atol=1e-6 * highest)
    np.testing.assert_allclose(maps, plain_grad_cam(model, layer, inputs, targets), atol=1e-5 * highest)

    together = grad_cam_of_all_classes(model, layer, inputs[:1], 3)
    np.testing.assert_allclose(together[0], maps, atol=1e-5 * highest)

    scaled = LayerAttribution.interpolate(direct, (size_px, size_px), interpolate_mode="bilinear").numpy()
    ours = np.stack([upsample(one, size_px) for one in maps])
    np.testing.assert_allclose(ours, scaled[:, 0], atol=1e-6 * max(highest, 1))


def test_a_network_small_enough_to_work_out_by_hand():
    model = TinyNetwork([[4.0, 1.0], [-4.0, 1.0]])
    image = torch.zeros(1, 3, 2, 2)
    image[0, 0] = torch.tensor([[1.0, 2.0], [0.0, -3.0]])
    # The logit is 4·mean(x) + 1·mean(2x): each of four cells has the gradient 4/4 in channel 1 and 1/4 in channel 2.
    # The map is relu(1·x + 0.25·2x) = relu(1.5·x).
    np.testing.assert_allclose(grad_cam(model, model.conv, image, [0]), [[[1.5, 3.0], [0.0, 0.0]]])
    # For the other class relu(−1·x + 0.25·2x) = relu(−0.5·x).
    np.testing.assert_allclose(grad_cam(model, model.conv, image, [1]), [[[0.0, 0.0], [0.0, 1.5]]])


def test_negative_evidence_alone_gives_an_empty_map():
    model = TinyNetwork([[-1.0, -2.0], [1.0, 1.0]])
    maps = grad_cam(model, model.conv, torch.rand(3, 3, 4, 4), [0, 0, 0])
    assert maps.dtype == np.float32
    assert not maps.any()


def test_batches_do_not_change_the_maps():
    model = TinyNetwork([[1.0, 1.0], [-1.0, 0.0]])
    images, targets = torch.randn(7, 3, 4, 4), [0, 1, 0, 1, 1, 0, 0]
    whole = grad_cam(model, model.conv, images, targets)
    assert whole.shape == (7, 4, 4)
    np.testing.assert_allclose(grad_cam(model, model.conv, images, targets, batch_size=3), whole, rtol=1e-6)


def test_all_classes_at_once_are_in_the_order_of_images_and_classes():
    model = TinyNetwork([[1.0, 1.0], [-1.0, 0.0]])
    images = torch.randn(5, 3, 4, 4)
    maps = grad_cam_of_all_classes(model, model.conv, images, 2, batch_size=2)
    assert maps.shape == (5, 2, 4, 4)
    for index in (0, 1):
        np.testing.assert_allclose(maps[:, index], grad_cam(model, model.conv, images, [index] * 5), rtol=1e-6)


def test_the_network_is_left_as_it_was():
    model = TinyNetwork([[1.0, 1.0], [0.0, 1.0]]).train()
    model.dropout.eval()
    model.head.weight.requires_grad_(False)
    before = state(model)
    grad_cam(model, model.conv, torch.rand(1, 3, 4, 4), [0])
    assert state(model) == before


def test_the_network_is_left_as_it_was_after_an_error():
    model = TinyNetwork([[1.0, 1.0], [0.0, 1.0]]).train()
    before = state(model)
    with pytest.raises(RuntimeError, match="expected input"):
        grad_cam(model, model.conv, torch.rand(1, 5, 4, 4), [0])
    with pytest.raises((IndexError, RuntimeError), match="out of bounds"):
        grad_cam(model, model.conv, torch.rand(1, 3, 4, 4), [7])
    assert state(model) == before
    np.testing.assert_array_equal(
        grad_cam(model, model.conv, torch.ones(1, 3, 1, 1), [0]), [[[3.0]]]
    )  # 1·1 + 1·2: the lock is free again


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("gradcam", pytorch_grad_cam.GradCAM),
        ("gradcam++", pytorch_grad_cam.GradCAMPlusPlus),
        ("hirescam", pytorch_grad_cam.HiResCAM),
    ],
)
@pytest.mark.parametrize("architecture", PUBLISHED)
def test_maps_are_those_of_pytorch_grad_cam(architecture, name, published):
    model = random_network(architecture)
    with torch.no_grad():
        head = list(model.parameters())[-2]
        head *= 1000  # against that library's 1e-6 in a denominator, which would decide where gradients are small
    try:
        inputs = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
        _name, layer = target_layer(architecture, model, 64)
        ours = np.maximum(cam(name, model, layer, inputs, [1])[0], 0)
        assert ours.max() > 0
        with published(model=model, target_layers=[layer]) as method:
            theirs = method(inputs, [ClassifierOutputTarget(1)])[0]
    finally:
        with torch.no_grad():
            head /= 1000
    scaled = cv2.resize((ours - ours.min()) / (ours.max() - ours.min()), (64, 64))  # as that library scales
    scaled = (scaled - scaled.min()) / (scaled.max() - scaled.min())
    np.testing.assert_allclose(scaled, theirs, atol=2e-3)


def test_hirescam_keeps_what_speaks_against_the_class():
    model = TinyNetwork([[4.0, 1.0], [-4.0, 1.0]])
    image = torch.zeros(1, 3, 2, 2)
    image[0, 0] = torch.tensor([[1.0, 2.0], [0.0, -3.0]])
    # One number for the whole of a channel's gradient: HiResCAM is Grad-CAM before it is cut. 1.5·x and −0.5·x.
    expected = np.array([[1.0, 2.0], [0.0, -3.0]])
    np.testing.assert_allclose(cam("hirescam", model, model.conv, image, [0]), [1.5 * expected])
    np.testing.assert_allclose(cam("hirescam", model, model.conv, image, [1]), [-0.5 * expected])
    # Its sum is the logit itself, since the head is linear: 4·0 + 1·0 here, mean(x) = 0.
    assert cam("hirescam", model, model.conv, image, [0]).sum() == pytest.approx(0, abs=1e-6)


class WeighsPlaces(nn.Module):
    """One channel, the first colour; class 0 adds its four places with weights 1, 2, 0 and −1."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 1, 1, bias=False)
        self.head = nn.Linear(4, 1, bias=False)
        with torch.no_grad():
            self.conv.weight.copy_(torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1))
            self.head.weight.copy_(torch.tensor([[1.0, 2.0, 0.0, -1.0]]))

    def forward(self, images):
        return self.head(self.conv(images).flatten(1))


def test_the_three_methods_differ_where_gradients_differ_from_place_to_place():
    model = WeighsPlaces()
    image = torch.zeros(1, 3, 2, 2)
    image[0, 0] = torch.tensor([[1.0, 1.0], [2.0, 4.0]])
    activations = np.array([[1.0, 1.0], [2.0, 4.0]])
    # Gradients 1, 2, 0, −1; their mean is 0.5.
    np.testing.assert_allclose(grad_cam(model, model.conv, image, [0])[0], 0.5 * activations)
    np.testing.assert_allclose(cam("hirescam", model, model.conv, image, [0])[0], [[1, 2], [0, -4]])
    # ΣA = 8: α is 1/(2 + 8·1) = 0.1 and 1/(2 + 8·2) = 1/18 where the gradient is above 0; w = 0.1·1 + 2/18.
    np.testing.assert_allclose(
        cam("gradcam++", model, model.conv, image, [0])[0], (0.1 + 1 / 9) * activations, rtol=1e-6
    )


def test_grad_cam_plus_plus_leaves_out_weights_without_meaning():
    activations = torch.tensor([[[[-3.0]], [[1.0]]]])
    # Channel 1: 2 + (−3)·1 is below 0, its weight would be −1. Channel 2: 1/(2 + 1·1) = 1/3.
    np.testing.assert_allclose(grad_cam_plus_plus(activations, torch.ones(1, 2, 1, 1)), [[[1 / 3]]])


def test_the_signed_form_of_grad_cam_is_captums():
    model = random_network("resnet50")
    inputs = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    _name, layer = target_layer("resnet50", model, 64)
    direct = LayerGradCam(model, layer).attribute(inputs, torch.tensor([0, 2])).detach().numpy()[:, 0]
    ours = layer_maps(model, layer, inputs, torch.tensor([[0], [2]]), signed_grad_cam)[:, 0]
    assert ours.min() < 0 < ours.max()
    np.testing.assert_allclose(ours, direct, atol=1e-5 * np.abs(direct).max())


def test_two_threads_with_one_network_get_their_own_maps():
    model = random_network("alexnet")
    _name, layer = target_layer("alexnet", model, 64)
    images = torch.randn(6, 1, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    alone = [grad_cam_of_all_classes(model, layer, image, 3) for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda image: grad_cam_of_all_classes(model, layer, image, 3), images))
    np.testing.assert_array_equal(together, alone)
