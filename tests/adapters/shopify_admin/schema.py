"""Shopify's published Admin schema, for tests: fetched by npm from the package that ships it, checked, and kept.

The package is a development dependency of the tests only. A newer one: set `VERSION` and `INTEGRITY` as
`npm view @shopify/dev-mcp version dist.integrity` tells them.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_client_schema

from adapters.settings import ROOT

PACKAGE = "@shopify/dev-mcp"
VERSION = "1.16.0"
INTEGRITY = "sha512-tqgRnK7sQhjew+htxtleTH23nXB5fZcsrhWgEkomsorGXvLOB2mh2upwZm8uzuTDNTZnqtLMe64yIwh6s2awtw=="
CACHE = ROOT / ".dev" / "npm"


@cache
def schema(version: str) -> GraphQLSchema:
    """The Admin schema of an API version; without npm the test is skipped."""
    content = _read(f"admin_{version}.json.gz")
    return build_client_schema(json.loads(gzip.decompress(content))["data"], assume_valid=True)


@cache
def versions() -> dict[str, dict[str, Any]]:
    """The API versions that the package ships a schema of, each with what it says of it."""
    return {one["name"]: one for one in json.loads(_read("supported-versions-schema.json"))["admin"]}


def _read(name: str) -> bytes:
    with tarfile.open(_package()) as archive:
        file = archive.extractfile(f"package/dist/data/{name}")
        assert file, f"{PACKAGE} {VERSION} has no {name}"
        return file.read()


@cache
def _package() -> Path:
    kept = CACHE / f"shopify-dev-mcp-{VERSION}.tgz"
    if not kept.exists():
        npm = shutil.which("npm")
        if not npm:
            pytest.skip(f"npm is not installed, which fetches Shopify's schema ({PACKAGE} {VERSION})")
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            pack = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", folder]
            done = subprocess.run(pack, cwd=folder, capture_output=True, text=True, timeout=100, check=False)
            assert done.returncode == 0, f"npm cannot fetch {PACKAGE} {VERSION}: {done.stderr[-500:]}"
            (fetched,) = Path(folder).glob("*.tgz")
            # Another process of the same run may have fetched it too; both are the same file.
            fetched.replace(kept)
    digest = base64.b64encode(hashlib.sha512(kept.read_bytes()).digest()).decode()
    assert f"sha512-{digest}" == INTEGRITY, f"{kept} is not the package that was pinned; remove it and try again"
    return kept
