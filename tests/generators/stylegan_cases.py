"""The network pickles in tests/data/generators, and how to alter them."""

import pickle
import sys
import types
from contextlib import contextmanager
from unittest import mock

import numpy as np
import torch

from tests.generators.checkpoint_cases import DATA

KINDS = ("stylegan2", "stylegan3_t", "stylegan3_r", "stylegan_xl")
SOURCE = "# removed"


def stored(kind):
    return DATA / f"{kind}_small.pkl"


def computed(kind):
    return dict(np.load(DATA / f"{kind}_small_fixture.npz"))


class Stub:
    """What a network of torch_utils.persistence is to pickle."""

    def __init__(self, meta):
        self.meta = dict(meta)

    @property
    def state(self):
        return self.meta["state"]

    def __getitem__(self, name):
        """A part, by its dotted name."""
        part = self
        for key in name.split(".") if name else ():
            part = part.state["_modules"][key]
        return part

    def __reduce__(self):
        return sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj, (self.meta,)


class EasyDict(dict):
    pass


EasyDict.__module__ = "dnnlib.util"


@contextmanager
def stub_modules():
    """Stand-ins for the modules of NVIDIA's code and for dill's one function."""

    def _reconstruct_persistent_obj(meta):
        return Stub(meta)

    def _create_array(function, arguments, state, _=None):
        array = function(*arguments)
        array.__setstate__(state)
        return array

    made = {
        name: types.ModuleType(name) for name in ("torch_utils", "torch_utils.persistence", "dnnlib", "dnnlib.util")
    }
    made |= {name: types.ModuleType(name) for name in ("dill", "dill._dill")}
    with mock.patch.dict(sys.modules, made):
        _reconstruct_persistent_obj.__module__ = "torch_utils.persistence"
        _reconstruct_persistent_obj.__qualname__ = "_reconstruct_persistent_obj"
        made["torch_utils.persistence"]._reconstruct_persistent_obj = _reconstruct_persistent_obj
        made["dnnlib.util"].EasyDict = EasyDict
        made["dill._dill"]._create_array = _create_array
        yield


def write_stylegan(path, change, kind="stylegan3_t", protocol=4, source=SOURCE):
    """Write a network pickle anew, its tree altered by `change`."""
    with stub_modules():
        tree = pickle.loads(stored(kind).read_bytes())
        change(tree)
        if isinstance(tree.get("G_ema"), Stub):
            tree["G_ema"].meta["module_src"] = source
        path.write_bytes(pickle.dumps(tree, protocol))
    return path


def set_state(part, **values):
    """Return a change that sets attributes of a part of the generator."""
    return lambda tree: tree["G_ema"][part].state.update(values)


def set_tensor(part, name, values):
    """Return a change that sets a tensor of a part; None takes it away."""

    def change(tree):
        state = tree["G_ema"][part].state
        kind = "_parameters" if name in state["_parameters"] else "_buffers"
        if values is None:
            del state[kind][name]
        else:
            state[kind][name] = torch.as_tensor(values)

    return change


def set_argument(key, value):
    """Return a change that sets an argument the generator was made with."""
    return lambda tree: tree["G_ema"].state["_init_kwargs"].update({key: value})
