"""What looks like the file of a model, by its name."""

from __future__ import annotations

MODELS = """.pkl .pickle .joblib .model .sav .dill .cloudpickle .onnx .pt .pth .keras .cbm .ubj .bst .pkl.gz .joblib.gz .pickle.gz .pkl.z
 .joblib.z .pkl.xz .joblib.xz .pkl.bz2 .joblib.bz2 .joblib.lz4""".split()


def is_model(target: str) -> bool:
    """Whether `target` bears the name of a model's file."""
    return target.lower().endswith(tuple(MODELS))
