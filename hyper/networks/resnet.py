"""ResNet50: of VGGFace2 as keras_vggface computes it, and of SwAV."""

from collections.abc import Collection, Mapping
from pathlib import Path

from torch import Tensor, nn
from torch.nn.functional import pad

from hyper.networks.looking import IMAGENET, Looker, Preparation
from hyper.networks.weights import fill, from_keras, read_weights

BLOCKS = (3, 4, 6, 3)
LAYERS = ("layer1", "layer2", "layer3", "layer4", "pool")
_BATCH_NORM = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
# of the published network in Caffe: layers within a block, and in torch's naming
_CONVS = {"1x1_reduce": "conv1", "3x3": "conv2", "1x1_increase": "conv3", "1x1_proj": "downsample.0"}
_NORMS = {"1x1_reduce": "bn1", "3x3": "bn2", "1x1_increase": "bn3", "1x1_proj": "downsample.1"}


class Block(nn.Module):
    """Three convolutions and a shortcut; `early` puts the stride in the first, as Caffe's network has it."""

    def __init__(self, inside: int, width: int, stride: int, early: bool, eps: float) -> None:
        super().__init__()
        first, second = (stride, 1) if early else (1, stride)
        self.conv1 = nn.Conv2d(inside, width, 1, first, bias=False)
        self.bn1 = nn.BatchNorm2d(width, eps)
        self.conv2 = nn.Conv2d(width, width, 3, second, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width, eps)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width, eps)
        self.downsample = None
        if stride > 1 or inside != 4 * width:
            shortcut = nn.Conv2d(inside, 4 * width, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(4 * width, eps))

    def forward(self, x: Tensor) -> Tensor:
        """Shape (n, channel, y, x) both."""
        y = self.bn1(self.conv1(x)).relu()
        y = self.bn2(self.conv2(y)).relu()
        y = self.bn3(self.conv3(y))
        return (y + (x if self.downsample is None else self.downsample(x))).relu()


class ResNet50(nn.Module):
    """ResNet50 (He et al., 2016, CVPR) without classifier.

    Parameters
    ----------
    keras : bool
        As keras_vggface has it: stride in the first convolution of a block, TensorFlow's one-sided padding of the first
        layer, no padding of the pooling, epsilon 1e-3. False: torchvision's.
    """

    def __init__(self, keras: bool) -> None:
        super().__init__()
        eps = 1e-3 if keras else 1e-5
        # TensorFlow's "same" puts two of the five pixels of padding before the image, three behind it
        self.border = (2, 3, 2, 3) if keras else (3, 3, 3, 3)
        self.conv1 = nn.Conv2d(3, 64, 7, 2, bias=False)
        self.bn1 = nn.BatchNorm2d(64, eps)
        self.maxpool = nn.MaxPool2d(3, 2, 0 if keras else 1)
        inside = 64
        for number, count in enumerate(BLOCKS):
            blocks = []
            for index in range(count):
                stride = 2 if number and not index else 1
                blocks.append(Block(inside, 64 * 2**number, stride, keras, eps))
                inside = 256 * 2**number
            setattr(self, f"layer{number + 1}", nn.Sequential(*blocks))

    def forward(self, x: Tensor, layers: Collection[str] = LAYERS) -> dict[str, Tensor]:
        """Activations of the layers named; ``pool``, shape (n, 2048), is the mean over the last map."""
        x = self.maxpool(self.bn1(self.conv1(pad(x, self.border))).relu())
        found = {}
        for name in LAYERS[:-1]:
            x = found[name] = getattr(self, name)(x)
        found["pool"] = x.mean(dim=(2, 3))
        return {name: found[name] for name in layers}


def load_vggface2(path: str | Path) -> Looker:
    """ResNet50 of VGGFace2 (Cao et al., 2018), as ``keras_vggface`` version 2 computes it.

    Images at 224 x 224 pixels, blue first, less the mean of VGGFace2; the 2048 features are layer ``pool``.

    Parameters
    ----------
    path : str or Path
        ``rcmalli_vggface_tf_notop_resnet50.h5`` or with top; ``resnet50_ft_weight.pkl`` or a state dict of the PyTorch
        port; ``resnet50_ft_dag.pth``. Each is run with the arithmetic of keras_vggface, so that the features are one
        network's.

    Raises
    ------
    NetworkError
    """
    network = ResNet50(keras=True)
    fill(path, network, _vggface2_names(read_weights(path)), ("fc.", "classifier"))
    return Looker(network, Preparation(224, (91.4953, 103.8827, 131.0912), scale=255, bgr=True), LAYERS)


def _vggface2_names(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    if any("/" in name for name in tensors):
        return _from_keras(tensors)
    if "conv1_7x7_s2.weight" in tensors:
        renamed = {_dag_name(name): values for name, values in tensors.items()}
        # its images are red first
        return renamed | {"conv1.weight": renamed["conv1.weight"].flip(1)}
    return tensors


def _from_keras(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    found = {}
    for name, values in tensors.items():
        layer, kind = name.rsplit("/", 1)
        if layer.startswith("classifier"):
            continue
        if kind == "kernel":
            found[f"{_torch_name(layer)}.weight"] = from_keras(values)
        else:
            found[f"{_torch_name(layer)}.{_BATCH_NORM.get(kind, kind)}"] = values
    return found


def _dag_name(name: str) -> str:
    layer, kind = name.rsplit(".", 1)
    bare = layer.removesuffix("_bn")
    return f"{_torch_name(bare.replace('conv1_7', 'conv1/7') + ('/bn' if bare != layer else ''))}.{kind}"


def _torch_name(layer: str) -> str:
    """``conv3_2_1x1_reduce/bn`` -> ``layer2.1.bn1``; an unknown name stays as it is."""
    bare = layer.removesuffix("/bn")
    norm = bare != layer
    if bare == "conv1/7x7_s2":
        return "bn1" if norm else "conv1"
    stage, _, rest = bare.partition("_")
    index, _, part = rest.partition("_")
    if part not in _CONVS or not index.isdigit() or not stage.removeprefix("conv").isdigit():
        return layer
    inner = (_NORMS if norm else _CONVS)[part]
    return f"layer{int(stage.removeprefix('conv')) - 1}.{int(index) - 1}.{inner}"


def load_swav(path: str | Path) -> Looker:
    """ResNet50 of SwAV (Caron et al., 2020), ``swav_800ep_pretrain.pth.tar``; features are layer ``pool``.

    Images at 224 x 224 pixels, as in the evaluation of MindEye (Scotti et al., 2023).
    """
    network = ResNet50(keras=False)
    fill(path, network, read_weights(path), ("fc.", "projection_head", "prototypes"))
    return Looker(network, Preparation(224, *IMAGENET), LAYERS)
