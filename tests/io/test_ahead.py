import threading

import numpy as np
import pytest

from hyper.errors import DatasetError
from hyper.io.ahead import read_ahead
from hyper.io.volumes import MaskedSeries, iterate_volumes, write_series


def test_items_come_in_order_and_one_is_ready_before_it_is_asked_for():
    made, second = [], threading.Event()

    def items():
        for item in range(4):
            made.append(item)
            if item == 1:
                second.set()
            yield item

    stream = read_ahead(items())
    assert next(stream) == 0
    assert second.wait(5)
    assert list(stream) == [1, 2, 3]


def test_a_fault_is_raised_where_its_item_was_due():
    def items():
        yield 1
        raise DatasetError("run", "broken", "Mend it")

    stream = read_ahead(items())
    assert next(stream) == 1
    with pytest.raises(DatasetError, match="broken"):
        next(stream)


def test_leaving_early_ends_the_thread():
    before = threading.active_count()
    stream = read_ahead(iter(range(1000)))
    next(stream)
    stream.close()
    assert threading.active_count() == before


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_masked_series_is_the_voxels_of_the_volumes_twice_over(tmp_path, suffix):
    rng = np.random.default_rng(0)
    data, inside = rng.normal(1000, 50, (5, 6, 4, 37)), rng.random((5, 6, 4)) < 0.4
    path = tmp_path / f"run{suffix}"
    write_series(path, [data], data.shape, np.eye(4), 1.5, np.int16, 0.05)
    whole = np.concatenate(list(iterate_volumes(path)), axis=3)
    series = MaskedSeries(path, inside, block=16)
    for _ in range(2):
        blocks = list(series)
        assert [len(block) for block in blocks] == [16, 16, 5]
        values = np.concatenate(blocks)
        assert np.array_equal(series.unmask(values), whole * inside[..., None])
        assert sorted(values[3]) == sorted(whole[inside][:, 3])


def test_a_masked_series_that_ends_early_is_a_fault(tmp_path):
    path = tmp_path / "run.nii"
    write_series(path, [np.ones((4, 4, 4, 20))], (4, 4, 4, 20), np.eye(4), 1.5)
    path.write_bytes(path.read_bytes()[:-700])
    with pytest.raises(DatasetError, match="ends after 17 of 20 volumes"):
        list(MaskedSeries(path, np.ones((4, 4, 4), bool)))
