"""The files that a MuJoCo model is made of: what it includes and loads, read from its XML alone.

Nothing here imports a simulator.
"""

import os
import re
from pathlib import Path

_FOLDER = re.compile(r"""\b(?:meshdir|texturedir|assetdir)\s*=\s*["']([^"']+)["']""")
_FILE = re.compile(r"""\bfile(?:name)?\s*=\s*["']([^"']+)["']""")
_SCHEME = re.compile(r"^(package|file)://")
MESH_FORMATS = (".stl", ".obj", ".msh")
"""Suffixes of mesh files that MuJoCo reads."""
FOLDERS_ABOVE = 4
"""How far above a URDF file the folder of its package is looked for."""


def source_files(path: Path) -> dict[str, Path]:
    """The model's file and all that it includes or loads, by their place under a common folder.
    The first is the model itself."""
    main = path.resolve()
    found: list[Path] = [main]
    folders = {"."}
    assets: list[tuple[Path, str]] = []
    passed = {main.parent}  # folders that a path with ".." in it goes through
    for current in found:  # grows while it is read
        text = current.read_text(encoding="utf-8", errors="replace")
        folders.update(_FOLDER.findall(text))
        for name in _FILE.findall(text):
            if Path(name).suffix.lower() not in (".xml", ".mjcf", ".urdf"):
                assets.append((current, name))
                continue
            for base in (main.parent, current.parent):
                place = (base / name).resolve()
                if place.is_file() and place not in found:
                    found.append(place)
                    break
    for current, name in assets:
        if _SCHEME.match(name):
            mesh = mesh_file(current, name)
            if mesh is not None and mesh not in found:
                found.append(mesh)
            continue
        for base in {main.parent, current.parent}:
            for place in [base / f / n for f in folders for n in (name, Path(name).name)]:
                if place.is_file() and place.resolve() not in found:
                    found.append(place.resolve())
                    passed.update(
                        Path(os.path.normpath(folder))
                        for folder in place.parents[:-1]
                        if len(folder.parts) >= len(base.parts)
                    )
    root = Path(os.path.commonpath([*passed, *(file.parent for file in found)]))
    return {str(file.relative_to(root)): file for file in found}


def mesh_file(urdf: Path, name: str) -> Path | None:
    """The file that ``package://PACKAGE/PATH`` or ``file://PATH`` names in a URDF file; None where
    there is none.

    ROS finds packages by its index.  Here a package is the folder of that name, or the folder
    itself, in which the URDF file or one of the folders above it lies.
    """
    rest = _SCHEME.sub("", name)
    if name.startswith("file://"):
        place = urdf.parent / rest
        return place.resolve() if place.is_file() else None
    inner = rest.partition("/")[2]
    for base in list(urdf.resolve().parents)[: FOLDERS_ABOVE + 1]:
        for place in (base / rest, base / inner):
            if inner and place.is_file():
                return place.resolve()
    return None
