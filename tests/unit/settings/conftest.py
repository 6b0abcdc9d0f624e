"""A folder to configure."""

from __future__ import annotations

import pytest


@pytest.fixture
def world(tmp_path):
    """An environment in which nothing but what a test writes is configured."""
    home = tmp_path / "home"
    home.mkdir()
    return {"HOME": str(home), "XDG_CONFIG_DIRS": str(tmp_path / "etc"), "PATH": "/usr/bin:/bin"}


@pytest.fixture
def project(tmp_path):
    """Write an offduty.toml and return its folder."""
    folder = tmp_path / "project"
    folder.mkdir()

    def write(text, name="offduty.toml"):
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(folder)

    return write
