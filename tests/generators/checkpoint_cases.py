"""The checkpoints in tests/data/generators, and how to alter them."""

import io
import pickle
import sys
import types
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from hyper.generators.checkpoints.karras import NETWORKS
from hyper.io.unpickle import Inert, StoredArray, read_pickle

DATA = Path(__file__).parents[1] / "data/generators"
GLUON = {f"layer{i}": f"L{i + 1}" for i in range(4)}
INTERFACEGAN = {f"output{i}.pixel_norm": f"L{i + 1}" for i in range(4)}
GAN_ZOO = {"pixelnorm2": "L1", "pixelnorm4": "L2", "pixelnorm6": "L3", "pixelnorm8": "L4"}
KARRAS = {"act/4x4/Conv": "L1", "act/8x8/Conv1": "L2", "act/16x16/Conv1": "L3", "act/32x32/Conv1": "L4",
          "act/images_out": "image"}  # fmt: skip
KARRAS_LOD = KARRAS | {"image_lod0.0": "image"}

# file, format, what its tool computed, name there -> name here
CASES = [
    *((f"karras_small32_{kind}_nosrc_{protocol}.pkl", "karras", f"karras_small32_{kind}", KARRAS_LOD)
      for kind in ("plain", "fused") for protocol in ("p2", "p4")),
    *((f"pggan_weights_small32_{kind}.pkl", "pggan_weights", f"karras_small32_{kind}", KARRAS)
      for kind in ("plain", "fused")),
    *((f"generator_small32_{kind}{legacy}.params", "gluon", f"gluon_small32_{kind}", GLUON | {"image": "image"})
      for kind in ("plain", "fused") for legacy in ("", "_legacy")),
    *((f"interfacegan_small32_{kind}.pth", "interfacegan", f"interfacegan_small32_{kind.split('_')[0]}",
       INTERFACEGAN | {"image": "image"}) for kind in ("plain", "fused", "plain_legacyzip")),
    ("ganzoo_small32.pth", "gan_zoo", "ganzoo_small32", GAN_ZOO | {"image": "image"}),
]  # fmt: skip
ONE_EACH = [
    "karras_small32_fused_nosrc_p4.pkl", "pggan_weights_small32_plain.pkl", "generator_small32_plain.params",
    "interfacegan_small32_plain.pth", "interfacegan_small32_plain_legacyzip.pth", "ganzoo_small32.pth",
]  # fmt: skip


def computed(name):
    return np.load(DATA / f"{name}_fixture.npz")


class Network:
    """What a Karras pickle is made of."""

    def __init__(self, state):
        self.__dict__.update(state)


Network.__module__ = "tfutil"


def write_karras(path, change, name="karras_small32_fused_nosrc_p4.pkl", source="# removed"):
    """Write a Karras pickle anew, the variables of Gs altered by `change`."""
    names = {name: type(name[1], (Inert,), {}) for name in NETWORKS}
    networks = read_pickle(io.BytesIO((DATA / name).read_bytes()), names)
    states = [dict(network.state) for network in networks]
    for state in states:
        state["build_module_src"] = source
        pairs = state["variables"]
        state["variables"] = [(key, v.values if isinstance(v, StoredArray) else np.asarray(v)) for key, v in pairs]
    variables = dict(states[2]["variables"])
    change(variables)
    states[2]["variables"] = list(variables.items())
    sys.modules["tfutil"] = types.ModuleType("tfutil")
    sys.modules["tfutil"].Network = Network
    try:
        path.write_bytes(pickle.dumps(tuple(Network(state) for state in states)))
    finally:
        del sys.modules["tfutil"]
    return path


def write_list(path, change):
    arrays = pickle.loads((DATA / "pggan_weights_small32_plain.pkl").read_bytes())
    change(arrays)
    path.write_bytes(pickle.dumps(arrays))
    return path


def write_interfacegan(path, change, name="interfacegan_small32_plain.pth"):
    state = torch.load(DATA / name, weights_only=True)
    change(state)
    torch.save(state, path)
    return path


class BaseConfig:
    """What pytorch_GAN_zoo keeps its settings in."""


BaseConfig.__module__ = "models.utils.config"


def write_gan_zoo(path, change, **settings):
    """Write a checkpoint of pytorch_GAN_zoo anew, with a configuration when `settings` are given."""
    from hyper.generators.checkpoints.gan_zoo import CONFIG
    from hyper.io.torch_file import read_torch

    tree = read_torch(DATA / "ganzoo_small32.pth", (CONFIG,))
    state = {name: value.tensor() for name, value in tree["avgG"].items()}
    change(state)
    tree = {"netG": {}, "avgG": state}
    if settings:
        tree["config"] = BaseConfig()
        vars(tree["config"]).update(settings)
    names = ("models", "models.utils", "models.utils.config")
    with mock.patch.dict(sys.modules, {name: types.ModuleType(name) for name in names}):
        sys.modules["models.utils.config"].BaseConfig = BaseConfig
        torch.save(tree, path)
    return path
