"""How good the reconstructions are."""

from typing import Literal

from pydantic import Field

from hyper.settings.section import Section

MetricName = Literal[
    "latent_similarity",
    "latent_cosine",
    "identification_2way_latent",
    "ssim_rgb224_gauss3",
    "pixel_correlation",
    "identification_2way_pixels",
]


class Evaluation(Section):
    """Metrics over the test stimuli, and their significance."""

    metrics: list[MetricName] = Field(
        [
            "latent_similarity",
            "latent_cosine",
            "identification_2way_latent",
            "ssim_rgb224_gauss3",
            "pixel_correlation",
            "identification_2way_pixels",
        ],
        min_length=1,
        description="Metrics to compute, in the order of the tables; hyper/evaluation/metrics.py defines each.",
    )
    permutations: int = Field(
        10000, ge=1, description="Random assignments of predictions to stimuli behind each p; the least p is 1/(1 + N)."
    )
