"""Where networks run, and what is said when a GPU was given in vain."""

import logging

import pytest
import torch

from hyper.errors import SettingsError
from hyper.generators.device import choose_device


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.parametrize(("given", "told"), [("0", True), ("1,2", True), ("", False), ("-1", False), (None, False)])
def test_auto_says_that_a_gpu_was_given_in_vain(no_gpu, monkeypatch, caplog, given, told):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if given is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    with caplog.at_level(logging.WARNING):
        assert choose_device("auto") == torch.device("cpu")
    assert ("torch finds none" in caplog.text) is told


def test_cuda_is_no_wish_but_a_condition(no_gpu):
    with pytest.raises(SettingsError, match="torch finds no GPU"):
        choose_device("cuda")
