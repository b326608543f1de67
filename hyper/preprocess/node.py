"""Run one nipype interface as a node in a folder of its own; move what it made to its place."""

import logging
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nipype import Node
from nipype import logging as nipype_logging
from nipype.interfaces.base import BaseInterface, BaseInterfaceInputSpec
from nipype.pipeline.engine.nodes import NodeExecutionError

from hyper.errors import DataError, HyperError
from hyper.io.atomic import partial_folder

_log = logging.getLogger(__name__)


class Interface(BaseInterface):
    """An interface that writes the files of `files` (output: name) and asserts that it did.

    It keeps the error of the library, so that its message reaches the user as it is.
    """

    files: Mapping[str, str] = {}
    fault: HyperError | None = None

    def _run_interface(self, runtime: Any) -> Any:
        try:
            folder = Path(runtime.cwd)
            self._produce(folder)
            for file in self.files.values():
                if not (folder / file).is_file():
                    raise DataError(
                        file, f"the node {type(self).__name__} did not make it", "Look at the log of the rule"
                    )
        except HyperError as fault:
            self.fault = fault
            raise
        return runtime

    def _produce(self, folder: Path) -> None:
        raise NotImplementedError

    def _list_outputs(self) -> dict[str, str]:
        return {name: str(Path(file).absolute()) for name, file in self.files.items()}


def run_node(interface: type[Interface], outputs: Mapping[str, str | Path], **inputs: Any) -> None:
    """Run an interface in a fresh temporary folder and move its outputs to their final names.

    Snakemake is the only cache, so that nothing of an earlier run can be found there. The folder lies beside the first
    output and is named after it: moving is renaming, and what a killed node left is found (`remove_partial`).

    Parameters
    ----------
    interface : type of Interface
    outputs : mapping of str to path
        Final name of each output of the interface.
    **inputs
        Inputs of the interface; what this engine has no use for is left out and said. Paths (`pathlib.Path`, also in
        lists) are made absolute.

    Raises
    ------
    HyperError
        As the library raises it.
    DataError
        When the node does not make an output.
    """
    targets = {name: Path(path).absolute() for name, path in outputs.items()}
    for target in targets.values():
        target.parent.mkdir(parents=True, exist_ok=True)
    base = partial_folder(next(iter(targets.values())))
    try:
        made = _execute(interface, base, inputs)
        for name, target in targets.items():
            os.replace(getattr(made, name), target)
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _execute(interface: type[Interface], base: Path, inputs: Mapping[str, Any]) -> BaseInterfaceInputSpec:
    nipype_logging.getLogger("nipype.workflow").setLevel("WARNING")
    known = interface.input_spec().copyable_trait_names()
    left_out = sorted(set(inputs) - set(known) - {"seed", "threads", "mask", "engine"})
    if left_out:
        _log.info("%s has no use for %s", interface.__name__, ", ".join(left_out))
    taken = {name: _absolute(value) for name, value in inputs.items() if name in known}
    node = Node(interface(**taken), interface.__name__.lower())
    node.base_dir = str(base)
    node.config = {"execution": {"crashdump_dir": str(base), "crashfile_format": "txt", "stop_on_first_crash": True}}
    try:
        return node.run().outputs
    except NodeExecutionError:
        if node.interface.fault is not None:
            raise node.interface.fault from None
        raise


def _absolute(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value.absolute())
    return [_absolute(item) for item in value] if isinstance(value, (list, tuple)) else value
