"""Works that the methods paragraph can cite."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """One cited work; `link` is empty where it has no address that lasts."""

    authors: str
    year: int
    title: str
    venue: str
    link: str = ""


def _doi(authors: str, year: int, title: str, venue: str, doi: str) -> Reference:
    return Reference(authors, year, title, venue, f"https://doi.org/{doi}")


def _arxiv(authors: str, year: int, title: str, venue: str, number: str) -> Reference:
    return Reference(authors, year, title, venue, f"https://arxiv.org/abs/{number}")


REFERENCES: dict[str, Reference] = {
    "dado2024": _doi(
        "Dado, T., Papale, P., Lozano, A., Le, L., Wang, F., van Gerven, M., Roelfsema, P., Güçlütürk, Y., & Güçlü, U.",
        2024,
        "Brain2GAN: Feature-disentangled neural encoding and decoding of visual perception in the primate brain",
        "PLoS Computational Biology, 20(5), e1012058",
        "10.1371/journal.pcbi.1012058",
    ),
    "king2014": _doi(
        "King, J.-R., & Dehaene, S.",
        2014,
        "Characterizing the dynamics of mental representations: the temporal generalization method",
        "Trends in Cognitive Sciences, 18(4), 203–210",
        "10.1016/j.tics.2014.01.002",
    ),
    "dado2022": _doi(
        "Dado, T., Güçlütürk, Y., Ambrogioni, L., Ras, G., Bosch, S., van Gerven, M., & Güçlü, U.",
        2022,
        "Hyperrealistic neural decoding for reconstructing faces from fMRI activations via the GAN latent space",
        "Scientific Reports, 12, 141",
        "10.1038/s41598-021-03938-w",
    ),
    "interfacegan": _arxiv(
        "Shen, Y., Gu, J., Tang, X., & Zhou, B.",
        2020,
        "Interpreting the latent space of GANs for semantic face editing",
        "CVPR 2020",
        "1907.10786",
    ),
    "sefa": _arxiv(
        "Shen, Y., & Zhou, B.",
        2021,
        "Closed-form factorization of latent semantics in GANs",
        "CVPR 2021",
        "2007.06600",
    ),
    "nsd": _doi(
        "Allen, E. J., St-Yves, G., Wu, Y., Breedlove, J. L., Prince, J. S., Dowdle, L. T., et al.",
        2022,
        "A massive 7T fMRI dataset to bridge cognitive neuroscience and artificial intelligence",
        "Nature Neuroscience, 25, 116–126",
        "10.1038/s41593-021-00962-x",
    ),
    "bids": _doi(
        "Gorgolewski, K. J., et al.",
        2016,
        "The brain imaging data structure, a format for organizing and describing outputs of neuroimaging experiments",
        "Scientific Data, 3, 160044",
        "10.1038/sdata.2016.44",
    ),
    "nipype": _doi(
        "Gorgolewski, K., et al.",
        2011,
        "Nipype: a flexible, lightweight and extensible neuroimaging data processing framework in Python",
        "Frontiers in Neuroinformatics, 5, 13",
        "10.3389/fninf.2011.00013",
    ),
    "realignment": _doi(
        "Friston, K. J., Ashburner, J., Frith, C. D., Poline, J.-B., Heather, J. D., & Frackowiak, R. S. J.",
        1995,
        "Spatial registration and normalization of images",
        "Human Brain Mapping, 3, 165–189",
        "10.1002/hbm.460030303",
    ),
    "glmsingle": _doi(
        "Prince, J. S., Charest, I., Kurzawski, J. W., Pyles, J. A., Tarr, M. J., & Kay, K. N.",
        2022,
        "Improving the accuracy of single-trial fMRI response estimates using GLMsingle",
        "eLife, 11, e77599",
        "10.7554/eLife.77599",
    ),
    "glmdenoise": _doi(
        "Kay, K. N., Rokem, A., Winawer, J., Dougherty, R. F., & Wandell, B. A.",
        2013,
        "GLMdenoise: a fast, automated technique for denoising task-based fMRI data",
        "Frontiers in Neuroscience, 7, 247",
        "10.3389/fnins.2013.00247",
    ),
    "mumford2012": _doi(
        "Mumford, J. A., Turner, B. O., Ashby, F. G., & Poldrack, R. A.",
        2012,
        "Deconvolving BOLD activation in event-related designs for multivoxel pattern classification analyses",
        "NeuroImage, 59, 2636–2643",
        "10.1016/j.neuroimage.2011.08.076",
    ),
    "fracridge": _doi(
        "Rokem, A., & Kay, K.",
        2020,
        "Fractional ridge regression: a fast, interpretable reparameterization of ridge regression",
        "GigaScience, 9, giaa133",
        "10.1093/gigascience/giaa133",
    ),
    "power2012": _doi(
        "Power, J. D., Barnes, K. A., Snyder, A. Z., Schlaggar, B. L., & Petersen, S. E.",
        2012,
        "Spurious but systematic correlations in functional connectivity MRI networks arise from subject motion",
        "NeuroImage, 59, 2142–2154",
        "10.1016/j.neuroimage.2011.10.018",
    ),
    "deepbet": _doi(
        "Fisch, L., et al.",
        2024,
        "deepbet: fast brain extraction of T1-weighted MRI using convolutional neural networks",
        "Computers in Biology and Medicine, 179, 108845",
        "10.1016/j.compbiomed.2024.108845",
    ),
    "dipy": _doi(
        "Garyfallidis, E., et al.",
        2014,
        "Dipy, a library for the analysis of diffusion MRI data",
        "Frontiers in Neuroinformatics, 8, 8",
        "10.3389/fninf.2014.00008",
    ),
    "syn": _doi(
        "Avants, B. B., Epstein, C. L., Grossman, M., & Gee, J. C.",
        2008,
        "Symmetric diffeomorphic image registration with cross-correlation: evaluating automated labeling of elderly "
        "and neurodegenerative brain",
        "Medical Image Analysis, 12, 26–41",
        "10.1016/j.media.2007.06.004",
    ),
    "spm": _doi(
        "Penny, W., Friston, K., Ashburner, J., Kiebel, S., & Nichols, T. (eds.)",
        2007,
        "Statistical Parametric Mapping: The Analysis of Functional Brain Images",
        "Academic Press",
        "10.1016/B978-0-12-372560-8.X5000-1",
    ),
    "segmentation": _doi(
        "Ashburner, J., & Friston, K. J.",
        2005,
        "Unified segmentation",
        "NeuroImage, 26, 839–851",
        "10.1016/j.neuroimage.2005.02.018",
    ),
    "fsl": _doi(
        "Jenkinson, M., Beckmann, C. F., Behrens, T. E. J., Woolrich, M. W., & Smith, S. M.",
        2012,
        "FSL",
        "NeuroImage, 62, 782–790",
        "10.1016/j.neuroimage.2011.09.015",
    ),
    "afni": _doi(
        "Cox, R. W.",
        1996,
        "AFNI: Software for analysis and visualization of functional magnetic resonance neuroimages",
        "Computers and Biomedical Research, 29, 162–173",
        "10.1006/cbmr.1996.0014",
    ),
    "boundary": _doi(
        "Greve, D. N., & Fischl, B.",
        2009,
        "Accurate and robust brain image alignment using boundary-based registration",
        "NeuroImage, 48, 63–72",
        "10.1016/j.neuroimage.2009.06.060",
    ),
    "ants": _doi(
        "Avants, B. B., Tustison, N. J., Song, G., Cook, P. A., Klein, A., & Gee, J. C.",
        2011,
        "A reproducible evaluation of ANTs similarity metric performance in brain image registration",
        "NeuroImage, 54, 2033–2044",
        "10.1016/j.neuroimage.2010.09.025",
    ),
    "mni2009": _doi(
        "Fonov, V., Evans, A. C., Botteron, K., Almli, C. R., McKinstry, R. C., & Collins, D. L.",
        2011,
        "Unbiased average age-appropriate atlases for pediatric studies",
        "NeuroImage, 54, 313–327",
        "10.1016/j.neuroimage.2010.07.033",
    ),
    "nilearn": _doi(
        "Abraham, A., et al.",
        2014,
        "Machine learning for neuroimaging with scikit-learn",
        "Frontiers in Neuroinformatics, 8, 14",
        "10.3389/fninf.2014.00014",
    ),
    "hrf": _doi(
        "Friston, K. J., et al.",
        1998,
        "Event-related fMRI: characterizing differential responses",
        "NeuroImage, 7, 30–40",
        "10.1006/nimg.1997.0306",
    ),
    "glover1999": _doi(
        "Glover, G. H.",
        1999,
        "Deconvolution of impulse response in event-related BOLD fMRI",
        "NeuroImage, 9, 416–429",
        "10.1006/nimg.1998.0419",
    ),
    "himalaya": _doi(
        "Dupré la Tour, T., Eickenberg, M., Nunez-Elizalde, A. O., & Gallant, J. L.",
        2022,
        "Feature-space selection with banded ridge regression",
        "NeuroImage, 264, 119728",
        "10.1016/j.neuroimage.2022.119728",
    ),
    "haxby2011": _doi(
        "Haxby, J. V., et al.",
        2011,
        "A common, high-dimensional model of the representational space in human ventral temporal cortex",
        "Neuron, 72, 404–416",
        "10.1016/j.neuron.2011.08.026",
    ),
    "adam": _arxiv(
        "Kingma, D. P., & Ba, J.", 2015, "Adam: a method for stochastic optimization", "ICLR", "1412.6980"
    ),
    "pytorch": _arxiv(
        "Paszke, A., et al.", 2019, "PyTorch: an imperative style, high-performance deep learning library",
        "NeurIPS", "1912.01703",
    ),
    "dcgan": _arxiv(
        "Radford, A., Metz, L., & Chintala, S.", 2016,
        "Unsupervised representation learning with deep convolutional generative adversarial networks",
        "ICLR", "1511.06434",
    ),
    "pggan": _arxiv(
        "Karras, T., Aila, T., Laine, S., & Lehtinen, J.", 2018,
        "Progressive growing of GANs for improved quality, stability, and variation", "ICLR", "1710.10196",
    ),
    "mobilestylegan": _arxiv(
        "Belousov, S.", 2021,
        "MobileStyleGAN: a lightweight convolutional neural network for high-fidelity image synthesis",
        "arXiv", "2104.04767",
    ),
    "stylegan2": _arxiv(
        "Karras, T., Laine, S., Aittala, M., Hellsten, J., Lehtinen, J., & Aila, T.", 2020,
        "Analyzing and improving the image quality of StyleGAN", "CVPR", "1912.04958",
    ),
    "stylegan3": _arxiv(
        "Karras, T., Aittala, M., Laine, S., Härkönen, E., Hellsten, J., Lehtinen, J., & Aila, T.", 2021,
        "Alias-free generative adversarial networks", "NeurIPS", "2106.12423",
    ),
    "styleganxl": _arxiv(
        "Sauer, A., Schwarz, K., & Geiger, A.", 2022,
        "StyleGAN-XL: scaling StyleGAN to large diverse datasets", "SIGGRAPH", "2202.00273",
    ),
    "adelson1985": _doi(
        "Adelson, E. H., & Bergen, J. R.",
        1985,
        "Spatiotemporal energy models for the perception of motion",
        "Journal of the Optical Society of America A, 2, 284–299",
        "10.1364/JOSAA.2.000284",
    ),
    "king2009": Reference(
        "King, D. E.",
        2009,
        "Dlib-ml: a machine learning toolkit",
        "Journal of Machine Learning Research, 10, 1755–1758",
    ),
    "vgg2015": _arxiv(
        "Simonyan, K., & Zisserman, A.", 2015,
        "Very deep convolutional networks for large-scale image recognition", "ICLR", "1409.1556",
    ),
    "vggface2015": _doi(
        "Parkhi, O. M., Vedaldi, A., & Zisserman, A.", 2015, "Deep face recognition", "BMVC", "10.5244/C.29.41"
    ),
    "clip2021": _arxiv(
        "Radford, A., et al.",
        2021,
        "Learning transferable visual models from natural language supervision",
        "ICML",
        "2103.00020",
    ),
    "guclu2014": _doi(
        "Güçlü, U., & van Gerven, M. A. J.",
        2014,
        "Unsupervised feature learning improves prediction of human brain activity in response to natural images",
        "PLoS Computational Biology, 10(8), e1003724",
        "10.1371/journal.pcbi.1003724",
    ),
    "ssim": _doi(
        "Wang, Z., Bovik, A. C., Sheikh, H. R., & Simoncelli, E. P.",
        2004,
        "Image quality assessment: from error visibility to structural similarity",
        "IEEE Transactions on Image Processing, 13, 600–612",
        "10.1109/TIP.2003.819861",
    ),
    "cowen2014": _doi(
        "Cowen, A. S., Chun, M. M., & Kuhl, B. A.",
        2014,
        "Neural portraits of perception: reconstructing face images from evoked brain activity",
        "NeuroImage, 94, 12–22",
        "10.1016/j.neuroimage.2014.03.018",
    ),
    "vanrullen2019": _doi(
        "VanRullen, R., & Reddy, L.",
        2019,
        "Reconstructing faces from fMRI patterns using deep generative neural networks",
        "Communications Biology, 2, 193",
        "10.1038/s42003-019-0438-y",
    ),
    "larsen2016": _arxiv(
        "Larsen, A. B. L., Sønderby, S. K., Larochelle, H., & Winther, O.", 2016,
        "Autoencoding beyond pixels using a learned similarity metric", "ICML", "1512.09300",
    ),
    "msssim": _doi(
        "Wang, Z., Simoncelli, E. P., & Bovik, A. C.",
        2003,
        "Multiscale structural similarity for image quality assessment",
        "Asilomar Conference on Signals, Systems & Computers, 2, 1398–1402",
        "10.1109/ACSSC.2003.1292216",
    ),
    "bca1987": _doi(
        "Efron, B.",
        1987,
        "Better bootstrap confidence intervals",
        "Journal of the American Statistical Association, 82, 171–185",
        "10.1080/01621459.1987.10478410",
    ),
    "holm1979": Reference(
        "Holm, S.",
        1979,
        "A simple sequentially rejective multiple test procedure",
        "Scandinavian Journal of Statistics, 6, 65–70",
        "https://www.jstor.org/stable/4615733",
    ),
    "fdr1995": _doi(
        "Benjamini, Y., & Hochberg, Y.",
        1995,
        "Controlling the false discovery rate: a practical and powerful approach to multiple testing",
        "Journal of the Royal Statistical Society: Series B, 57, 289–300",
        "10.1111/j.2517-6161.1995.tb02031.x",
    ),
    "phipson2010": _doi(
        "Phipson, B., & Smyth, G. K.",
        2010,
        "Permutation p-values should never be zero: calculating exact p-values when permutations are randomly drawn",
        "Statistical Applications in Genetics and Molecular Biology, 9, 39",
        "10.2202/1544-6115.1585",
    ),
    "snakemake": _doi(
        "Mölder, F., et al.",
        2021,
        "Sustainable data analysis with Snakemake",
        "F1000Research, 10, 33",
        "10.12688/f1000research.29032.2",
    ),
}  # fmt: skip
