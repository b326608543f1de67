"""Write reference.npz: what the networks' own implementations compute from drawn weights.

Run from the root of the repository, with ``pixels`` in the project's environment, then in two of their own with
``keras`` (keras_vggface 0.6 on TensorFlow 2.15) and ``torch`` (torchvision 0.28, open_clip, transformers), both with
pytest.
"""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from conftest import drawn, pictures

OUT = Path(__file__).parent / "reference.npz"
EVERY = 997  # of activations with many numbers, every so many-th is kept


def kept(values):
    values = np.asarray(values).reshape(len(values), -1)
    return values if values.shape[1] <= 2048 else values[:, ::EVERY]


def at_224():
    """The pictures at 224 x 224, as torch brings them there."""
    import torch

    pixels = torch.from_numpy(pictures()).permute(0, 3, 1, 2).float()
    pixels = torch.nn.functional.interpolate(pixels, (224, 224), mode="bilinear", antialias=True)
    return pixels.permute(0, 2, 3, 1).numpy()


def of_keras(images):
    import keras
    from keras.applications import vgg16
    from keras_vggface import utils
    from keras_vggface.models import RESNET50, VGG16

    found = {}
    models = {
        "vggface2": (RESNET50(include_top=False, weights=None, input_shape=(224, 224, 3), pooling="avg"), None, 2),
        "vggface": (VGG16(include_top=False, weights=None, input_shape=(224, 224, 3)), "pool{}", 1),
        "vgg16": (vgg16.VGG16(include_top=False, weights=None, input_shape=(224, 224, 3)), "block{}_pool", 0),
    }
    for name, (model, pool, version) in models.items():
        shapes = {}
        for layer in model.layers:
            names = [f"{layer.name}/{weight.name.split('/')[-1].split(':')[0]}" for weight in layer.weights]
            layer.set_weights([drawn(n, tuple(w.shape)) for n, w in zip(names, layer.weights, strict=True)])
            shapes |= {n: list(w.shape) for n, w in zip(names, layer.weights, strict=True)}
        found[f"{name}_names"] = np.array(json.dumps(shapes))
        x = images.astype(np.float64)
        x = utils.preprocess_input(x, version=version) if version else vgg16.preprocess_input(x)
        if pool is None:
            found[name] = kept(model.predict(x, verbose=0))
            continue
        outputs = [model.get_layer(pool.format(i)).output for i in range(1, 6)]
        for i, values in enumerate(keras.Model(model.input, outputs).predict(x, verbose=0), 1):
            found[f"{name}_pool{i}"] = kept(values.transpose(0, 3, 1, 2))
    return found


def of_torch():
    import open_clip
    import torch
    import torchvision.models as models
    from torchvision import transforms
    from torchvision.models.feature_extraction import create_feature_extractor
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    def give(network):
        state = network.state_dict()
        due = {name: values for name, values in state.items() if values.is_floating_point()}
        network.load_state_dict({n: torch.from_numpy(drawn(n, tuple(v.shape))) for n, v in due.items()}, strict=False)
        return network.eval()

    def prepared(size, mean, std):
        pixels = torch.from_numpy(pictures()).permute(0, 3, 1, 2).float() / 255
        steps = [transforms.Resize((size, size), antialias=True), transforms.Normalize(mean, std)]
        return transforms.Compose(steps)(pixels)

    imagenet = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    clip = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    found = {}
    inception = models.inception_v3(init_weights=False, transform_input=True)
    for name, network, nodes, size in (
        ("alexnet", models.alexnet(), {"features.4": "layer2", "features.11": "layer5"}, 256),
        ("inception", inception, {"avgpool": "pool"}, 342),
        ("efficientnet", models.efficientnet_b1(), {"avgpool": "pool"}, 255),
        ("swav", models.resnet50(), {"avgpool": "pool"}, 224),
        ("torchvision", models.vgg16(), {"features.9": "pool2", "features.30": "pool5"}, 224),
    ):
        whole = create_feature_extractor(give(network), return_nodes=nodes)
        shapes = {n: list(v.shape) for n, v in network.state_dict().items() if v.is_floating_point()}
        drop = ("classifier", "fc.", "AuxLogits")
        found[f"{name}_names"] = np.array(json.dumps({n: s for n, s in shapes.items() if not n.startswith(drop)}))
        found |= {f"{name}_{node}": kept(values) for node, values in whole(prepared(size, *imagenet)).items()}
    tower = open_clip.transformer.VisionTransformer(
        48, 16, 128, 2, 2, 3.0, output_dim=24, act_layer=open_clip.transformer.QuickGELU
    )
    found["clip"] = give(tower)(prepared(48, *clip)).numpy()
    found["clip_names"] = np.array(json.dumps({n: list(v.shape) for n, v in tower.state_dict().items()}))
    tower = open_clip.modified_resnet.ModifiedResNet((1, 2, 1, 1), 24, 4, 96, 8)
    found["clip_resnet"] = give(tower)(prepared(96, *clip)).numpy()
    names = {n: list(v.shape) for n, v in tower.state_dict().items() if v.is_floating_point()}
    found["clip_resnet_names"] = np.array(json.dumps(names))
    sizes = {"hidden_size": 128, "intermediate_size": 300, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = CLIPVisionConfig(**sizes, image_size=64, patch_size=16, projection_dim=20)
    tower = give(CLIPVisionModelWithProjection(config))
    seen = tower(pixel_values=prepared(64, *clip), output_hidden_states=True)
    found["hugging_face"], found["hugging_face_block1"] = seen.image_embeds.numpy(), kept(seen.hidden_states[1])
    names = {n: list(v.shape) for n, v in tower.state_dict().items() if v.is_floating_point()}
    found["hugging_face_names"] = np.array(json.dumps(names))
    return found


if __name__ == "__main__":
    if sys.argv[1] == "pixels":
        np.save("/tmp/at224.npy", at_224())
    else:
        if sys.argv[1] == "torch":
            import torch

            with torch.no_grad():
                new = of_torch()
        else:
            new = of_keras(np.load("/tmp/at224.npy"))
        old = dict(np.load(OUT)) if OUT.exists() else {}
        np.savez_compressed(OUT, **old, **new)
