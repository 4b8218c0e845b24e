"""Licence types as they lie in folders, and their forms compiled once per agency."""

from __future__ import annotations

import contextlib
import hashlib
import re
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Final

from certlib.catalogue import parse_type
from certlib.errors import NotFoundError, TypeFolderError
from certlib.model import Sha256
from templates.compile import compile_form
from templates.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

    from certlib.catalogue import LicenceType
    from certlib.model import Agency
    from templates.fonts import FontBook
    from templates.form import CompiledForm

VERSION_FOLDER: Final = re.compile(r"v([1-9][0-9]{0,3})")
MAX_FOLDER_BYTES: Final = 64 * 2**20
TYPE_FILE: Final = "type.toml"
SEAL_PICTURES: Final = ("seal.svg", "seal.png")


@dataclass(frozen=True, kw_only=True, slots=True)
class TypeFolder:
    """One version of a type as it lies on disk."""

    path: Path
    digest: Sha256
    """Over names and bytes of all files in the folder."""
    licence_type: LicenceType
    type_toml: str


def read_type_folder(path: Path) -> TypeFolder:
    """The type in `path`, which must be named `<type>/v<n>`.

    Raises:
        TypeFolderError: naming everything that is wrong with type.toml, name and size.
    """
    if (match := VERSION_FOLDER.fullmatch(path.name)) is None:
        raise TypeFolderError((f"{path}: a version's folder is named v1, v2, ...",))
    type_toml = path / TYPE_FILE
    try:
        text = type_toml.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TypeFolderError((f"{type_toml}: cannot be read as UTF-8: {error}",)) from error
    licence_type = parse_type(text, where=f"{path.parent.name}/{path.name}/type.toml", version=int(match[1]))
    if licence_type.code != path.parent.name:
        raise TypeFolderError((f"{type_toml}: code is {licence_type.code}, the folder says {path.parent.name}",))
    return TypeFolder(path=path, digest=folder_digest(path), licence_type=licence_type, type_toml=text)


def folder_digest(path: Path, *, type_toml: str | None = None) -> Sha256:
    """SHA-256 over the sorted relative names and contents of all files in `path`; hidden files do not count.

    With `type_toml`, as it would be with this text in the place of its own.

    Raises:
        TypeFolderError: a symbolic link, or more than 64 MiB.
    """
    digest, total = hashlib.sha256(), 0
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if file.is_symlink():
            raise TypeFolderError((f"{file}: links are not allowed in a type folder",))
        if not file.is_file() or any(part.startswith((".", "__")) for part in name.split("/")):
            continue
        total += file.stat().st_size
        if total > MAX_FOLDER_BYTES:
            raise TypeFolderError((f"{path}: more than {MAX_FOLDER_BYTES // 2**20} MiB",))
        content = file.read_bytes() if name != TYPE_FILE or type_toml is None else type_toml.encode()
        digest.update(f"{len(name)}:{name}:{len(content)}:".encode() + hashlib.sha256(content).digest())
    return Sha256(digest.hexdigest())


@dataclass(frozen=True, kw_only=True, slots=True)
class Press:
    """Finds type folders and keeps compiled forms for the process's life."""

    fonts: FontBook
    roots: tuple[Path, ...]
    """Folders that hold `<type>/v<n>`; the first that has a version wins."""
    seals: Path
    """Folder with `<agency code>/seal.svg|png`, an agency's own seal picture."""
    folders: MutableMapping[tuple[str, int], TypeFolder] = field(default_factory=dict)
    forms: MutableMapping[tuple[str, str, str, str, int], CompiledForm] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)
    """Two threads never compile the same form at once."""

    def folder(self, code: str, version: int) -> TypeFolder:
        """Version `version` of the type `code`, read once per process.

        Raises:
            NotFoundError: no root has it.
            TypeFolderError: it cannot be read.
        """
        if (known := self.folders.get((code, version))) is not None:
            return known
        for root in self.roots:
            path = root / code / f"v{version}"
            if path.is_dir():
                self.folders[code, version] = read_type_folder(path)
                return self.folders[code, version]
        raise NotFoundError(f"type {code} v{version}: no such folder", code="type_not_found")

    def form(self, folder: TypeFolder, agency: Agency, *, reserve_bytes: int) -> CompiledForm:
        """The form of `folder` for `agency`, laid out once.

        Raises:
            TypeFolderError: the layout cannot be compiled.
        """
        picture, mark = self.seal_picture(agency)
        key = (folder.digest, agency.code, agency.name, mark, reserve_bytes)
        with self.lock:
            if (known := self.forms.get(key)) is None:
                known = self.forms[key] = compiled(
                    folder,
                    fonts=self.fonts,
                    agency_name=agency.name,
                    reserve_bytes=reserve_bytes,
                    seal_picture=picture.read_bytes() if picture is not None else None,
                )
        return known

    def seal_picture(self, agency: Agency) -> tuple[Path | None, str]:
        """The agency's own picture and a mark that changes with it; (None, "") where we draw one.

        Asked for each page: a picture taken in by another process counts at once.
        """
        for name in SEAL_PICTURES:
            path = self.seals / agency.code / name
            with contextlib.suppress(FileNotFoundError):
                seen = path.stat()
                return path, f"{name}:{seen.st_mtime_ns}:{seen.st_size}:{seen.st_ino}"
        return None, ""


def compiled(
    folder: TypeFolder, *, fonts: FontBook, agency_name: str, reserve_bytes: int, seal_picture: bytes | None
) -> CompiledForm:
    """The compiled form of `folder`.

    Raises:
        TypeFolderError: the layout cannot be compiled.
    """
    try:
        return compile_form(
            folder.path, fonts=fonts, agency_name=agency_name, seal_picture=seal_picture,
            reserve_bytes=reserve_bytes, language=folder.licence_type.language,
        )  # fmt: skip
    except TemplateError as error:
        raise TypeFolderError((f"{folder.path.parent.name}/{folder.path.name}: {error}",)) from error
