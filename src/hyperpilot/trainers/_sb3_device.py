"""Where PyTorch can compute here."""

from __future__ import annotations

import torch


def missing(device: str) -> str:
    """Why a device such as cuda:1 or mps is not there; empty where it is."""
    kind, _, number = device.partition(":")
    if kind == "mps":
        return "" if torch.backends.mps.is_available() else "PyTorch finds no GPU of Apple's here"
    if not torch.cuda.is_available():
        return "PyTorch finds no CUDA here"
    count = torch.cuda.device_count()
    return "" if int(number or 0) < count else f"there is no {device}: PyTorch finds {count} of them"
