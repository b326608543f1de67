"""VGG16: of faces (VGGFace) or of ImageNet, by the weights given; the outputs of its five max-poolings."""

from collections.abc import Collection, Mapping
from pathlib import Path

from torch import Tensor, nn

from hyper.errors import NetworkError
from hyper.networks.looking import IMAGENET, Looker, Preparation
from hyper.networks.weights import fill, from_keras, read_weights

CONVS = (2, 2, 3, 3, 3)
WIDTHS = (64, 128, 256, 512, 512)
LAYERS = ("pool1", "pool2", "pool3", "pool4", "pool5")
_NUMBERS = [(block + 1, index + 1) for block, count in enumerate(CONVS) for index in range(count)]
_TORCHVISION = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
_FACES = (93.5940, 104.7624, 129.1863)  # blue, green, red
_CAFFE = (103.939, 116.779, 123.68)


class VGG16(nn.Module):
    """The convolutions of VGG16 (Simonyan & Zisserman, 2015, ICLR)."""

    def __init__(self) -> None:
        super().__init__()
        inside = 3
        for block, index in _NUMBERS:
            setattr(self, f"conv{block}_{index}", nn.Conv2d(inside, WIDTHS[block - 1], 3, padding=1))
            inside = WIDTHS[block - 1]
        self.pool = nn.MaxPool2d(2, 2)

    def forward(self, x: Tensor, layers: Collection[str] = LAYERS) -> dict[str, Tensor]:
        """Outputs of the max-poolings named."""
        found = {}
        for block, count in enumerate(CONVS, 1):
            for index in range(1, count + 1):
                x = getattr(self, f"conv{block}_{index}")(x).relu()
            x = found[f"pool{block}"] = self.pool(x)
        return {name: found[name] for name in layers}


def load_vgg16(path: str | Path) -> Looker:
    """VGG16 with the preparation of images that belongs to its weights, at 224 x 224 pixels.

    Parameters
    ----------
    path : str or Path
        VGGFace (Parkhi et al., 2015): ``rcmalli_vggface_tf_vgg16.h5`` (with or without top), ``vgg_face_dag.pth``, the
        authors' ``vgg_face.mat`` of MatConvNet. ImageNet: torchvision's ``vgg16-397923af.pth``, Keras'
        ``vgg16_weights_tf_dim_ordering_tf_kernels.h5`` (with or without top).

    Raises
    ------
    NetworkError
    """
    tensors = read_weights(path)
    names, kernel, prepare = _layout(path, tensors)
    found = {}
    for (block, index), name in zip(_NUMBERS, names, strict=True):
        missing = [key for key in (f"{name}{kernel}", f"{name}{kernel[0]}bias") if key not in tensors]
        if missing:
            raise NetworkError(path, f"the weights {missing[0]!r} are missing", "Fetch the file again")
        weight = tensors[f"{name}{kernel}"]
        found[f"conv{block}_{index}.weight"] = from_keras(weight) if kernel == "/kernel" else weight
        found[f"conv{block}_{index}.bias"] = tensors[f"{name}{kernel[0]}bias"]
    network = VGG16()
    fill(path, network, found)
    return Looker(network, prepare, LAYERS)


def _layout(path: str | Path, tensors: Mapping[str, Tensor]) -> tuple[list[str], str, Preparation]:
    """Names of the layers, what a kernel is called, and how images are prepared."""
    faces = [f"conv{block}_{index}" for block, index in _NUMBERS]
    if "features.0.weight" in tensors:
        return [f"features.{index}" for index in _TORCHVISION], ".weight", Preparation(224, *IMAGENET)
    if "conv1_1.weight" in tensors:
        return faces, ".weight", Preparation(224, _reversed(_FACES), scale=255)
    if "block1_conv1/kernel" in tensors:
        names = [f"block{block}_conv{index}" for block, index in _NUMBERS]
        return names, "/kernel", Preparation(224, _CAFFE, scale=255, bgr=True)
    if "conv1_1/kernel" in tensors:
        # keras_vggface takes blue first, the authors' own file red first
        keras = Path(path).suffix != ".mat"
        mean = _FACES if keras else _reversed(_FACES)
        return faces, "/kernel", Preparation(224, mean, scale=255, bgr=keras)
    raise NetworkError(path, "it holds another network than VGG16", "Give the weights of VGG16 or VGGFace")


def _reversed(mean: tuple[float, float, float]) -> tuple[float, float, float]:
    return mean[2], mean[1], mean[0]
