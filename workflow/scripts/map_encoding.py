"""Write a subject's maps of features and their correlations (rule map_encoding)."""

from _rule import run  # isort: skip

from hyper.encoding.files import read_measured, write_encoding_maps
from hyper.io.tables import read_table
from hyper.io.volumes import load_image


def main(job):
    channels = read_table(job.input.channels, dtype={"region": str, "feature": str})
    stem = str(job.output.dseg).removesuffix("_desc-feature_dseg.nii.gz")
    shape = load_image(job.input.mask).shape
    write_encoding_maps(stem, channels, job.params.features, shape, read_measured(job.input.responses).affine)


if __name__ == "__main__":
    run(main)
