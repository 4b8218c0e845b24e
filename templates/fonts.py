"""Finds the fonts that a form names, checks their digests, cuts variable ones to a weight, and measures."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import uharfbuzz as hb

from templates.errors import FontMissingError
from templates.glyphs import GlyphSource

if TYPE_CHECKING:
    from templates.boxes import FontRole

_CJK = ("justmytype_intl_cjk", "pip install justmytype-intl-cjk")
_WESTERN = ("justmytype_western_core", "pip install justmytype-western-core")
# Family -> package, how to get it, file inside.
_PACKAGED = {
    "noto-sans-sc": (*_CJK, "fonts/ofl/notosanssc/NotoSansSC[wght].ttf"),
    "noto-sans-tc": (*_CJK, "fonts/ofl/notosanstc/NotoSansTC[wght].ttf"),
    "noto-sans-jp": (*_CJK, "fonts/ofl/notosansjp/NotoSansJP[wght].ttf"),
    "source-serif-4": (*_WESTERN, "fonts/ofl/sourceserif4/SourceSerif4[opsz,wght].ttf"),
    "source-serif-4-italic": (*_WESTERN, "fonts/ofl/sourceserif4/SourceSerif4-Italic[opsz,wght].ttf"),
    "inter": (*_WESTERN, "fonts/ofl/inter/Inter[opsz,wght].ttf"),
    "inter-italic": (*_WESTERN, "fonts/ofl/inter/Inter-Italic[opsz,wght].ttf"),
    "noto-serif": (*_WESTERN, "fonts/ofl/notoserif/NotoSerif[wdth,wght].ttf"),
}
# Family -> weight -> file name in a font folder of the system; and how to get it.
_INSTALLED = {
    "lxgw-wenkai": (
        {300: "LXGWWenKai-Light.ttf", 400: "LXGWWenKai-Regular.ttf", 700: "LXGWWenKai-Bold.ttf"},
        "apt install fonts-lxgw-wenkai",
    ),
}
FAMILIES = (*_PACKAGED, *_INSTALLED)
_MAX_FONT_BYTES = 64 * 1024 * 1024
_MILLE = 1000
# OpenType 1.9.1, OS/2 fsType.
_USAGE = 0x000F
_RESTRICTED = 0x0002
_BITMAPS_ONLY = 0x0200


def system_font_folders() -> tuple[Path, ...]:
    """Return where this system keeps fonts; folders that are not there are left out."""
    home = Path.home()
    folders = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), home / ".local/share/fonts", home / ".fonts")
    return tuple(folder for folder in folders if folder.is_dir())


class Face:
    """One static TrueType face in memory: which characters it has, how wide they are, how to cut it."""

    def __init__(self, name: str, data: bytes) -> None:
        """Open a font; `name` is used in errors only.

        Raises:
            FontMissingError: no TrueType outlines, or embedding is forbidden (OS/2 fsType).
        """
        self.name = name
        self._hb_face = hb.Face(hb.Blob(data))
        self._hb_font = hb.Font(self._hb_face)
        self.units_per_em: int = self._hb_face.upem
        tables = {tag: self._table(tag) for tag in ("glyf", "head", "hhea", "hmtx", "loca", "maxp", "OS/2")}
        if not all(tables.values()):
            raise FontMissingError(f"{name}: is no TrueType font with glyf outlines")
        os2 = tables.pop("OS/2")
        kind = int.from_bytes(os2[8:10], "big")
        if kind & _USAGE == _RESTRICTED or kind & _BITMAPS_ONLY:
            raise FontMissingError(f"{name}: its licence bits forbid embedding")
        self.glyphs = GlyphSource(tables)
        self._numbers: dict[str, int] = {}
        self._advances: dict[int, int] = {}
        self.bbox = tuple(
            self._mille(int.from_bytes(tables["head"][start : start + 2], "big", signed=True))
            for start in (36, 38, 40, 42)
        )
        self.ascent = self._mille(int.from_bytes(tables["hhea"][4:6], "big", signed=True))
        self.descent = self._mille(int.from_bytes(tables["hhea"][6:8], "big", signed=True))

    def _table(self, tag: str) -> bytes:
        blob = self._hb_face.reference_table(tag)
        return bytes(blob.data)

    def _mille(self, units: float) -> int:
        return round(units * _MILLE / self.units_per_em)

    def glyph(self, char: str) -> int:
        """Return the glyph number of a character, 0 if the face does not have it."""
        number = self._numbers.get(char)
        if number is None:
            number = self._numbers[char] = self._hb_font.get_nominal_glyph(ord(char)) or 0
        return number

    def advance(self, glyph: int) -> int:
        """Return the width of a glyph in 1/1000 em."""
        advance = self._advances.get(glyph)
        if advance is None:
            advance = self._advances[glyph] = self._mille(self._hb_font.get_glyph_h_advance(glyph))
        return advance

    def outline(self, glyph: int) -> list[tuple[str, tuple[float, ...]]]:
        """Return the outline as moves ("M", "L", "Q", "C", "Z") with coordinates in em, y upwards."""
        moves: list[tuple[str, tuple[float, ...]]] = []
        funcs = hb.DrawFuncs()
        unit = self.units_per_em

        def record(letter: str, *numbers: float) -> None:
            moves.append((letter, tuple(number / unit for number in numbers)))

        funcs.set_move_to_func(lambda x, y, _: record("M", x, y))
        funcs.set_line_to_func(lambda x, y, _: record("L", x, y))
        funcs.set_quadratic_to_func(lambda a, b, x, y, _: record("Q", a, b, x, y))
        funcs.set_cubic_to_func(lambda a, b, c, d, x, y, _: record("C", a, b, c, d, x, y))
        funcs.set_close_path_func(lambda _: record("Z"))
        self._hb_font.draw_glyph(glyph, funcs, None)
        return moves


def _cut_to_weight(data: bytes, role: FontRole) -> bytes:
    """Return the static font of a variable one; a static font comes back as it is."""
    face = hb.Face(hb.Blob(data))
    axes = {axis.tag: axis for axis in face.axis_infos}
    if not axes:
        return data
    request = hb.SubsetInput()
    request.keep_everything()
    request.pin_all_axes_to_default(face)
    wanted = {"wght": float(role.weight)} | ({"opsz": role.optical} if role.optical else {})
    for tag, value in wanted.items():
        if tag not in axes or not axes[tag].min_value <= value <= axes[tag].max_value:
            raise FontMissingError(f"[fonts.{role.name}]: {role.family or role.file} has no {tag} {value:g}")
        request.pin_axis_location(face, tag, value)
    return bytes(hb.subset(face, request).blob.data)


class FontBook:
    """The open fonts of a process. A face is opened once, whoever asks for it."""

    def __init__(self, font_folders: tuple[Path, ...] | None = None) -> None:
        """Look for installed families in these folders; by default in the system's."""
        self._folders = system_font_folders() if font_folders is None else font_folders
        self._faces: dict[tuple[str, str, str, int, float], Face] = {}

    def face(self, role: FontRole, folder: Path) -> Face:
        """Return the face of a role; `folder` is the form's, for its own font files.

        Raises:
            FontMissingError: with how to get the font, or the digest of the other file found.
        """
        key = (role.family, role.file, role.sha256, role.weight, role.optical)
        if key not in self._faces:
            path, advice = self._find(role, folder)
            where = f"[fonts.{role.name}]"
            if path is None:
                raise FontMissingError(f"{where}: {role.family or role.file} is not on this machine; {advice}")
            try:
                if path.stat().st_size > _MAX_FONT_BYTES:
                    raise FontMissingError(f"{where}: {path.name} is larger than {_MAX_FONT_BYTES} bytes")
                data = path.read_bytes()
            except OSError as error:
                raise FontMissingError(f"{where}: {path} cannot be read: {error.strerror}") from error
            found = hashlib.sha256(data).hexdigest()
            if found != role.sha256:
                raise FontMissingError(
                    f"{where}: {path} is another file than the form names (found sha256 {found}); {advice}"
                )
            self._faces[key] = Face(f"{where} {path.name}", _cut_to_weight(data, role))
        return self._faces[key]

    def _find(self, role: FontRole, folder: Path) -> tuple[Path | None, str]:
        if role.file:
            path = folder / role.file
            return (path if path.is_file() else None), "put the file into the folder of the form"
        if role.family in _PACKAGED:
            package, advice, name = _PACKAGED[role.family]
            spec = importlib.util.find_spec(package)
            roots = list(spec.submodule_search_locations or ()) if spec else []
            paths = [Path(root) / name for root in roots]
            return next((path for path in paths if path.is_file()), None), advice
        if role.family in _INSTALLED:
            files, advice = _INSTALLED[role.family]
            if role.weight not in files:
                raise FontMissingError(f"[fonts.{role.name}]: {role.family} has weights {', '.join(map(str, files))}")
            found = (path for root in self._folders for path in root.rglob(files[role.weight]))
            return next(found, None), advice
        raise FontMissingError(f"[fonts.{role.name}]: unknown family {role.family!r}; there are {', '.join(FAMILIES)}")
