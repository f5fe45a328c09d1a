"""The theme taxonomy: a YAML file that people edit, read into records, with errors that name the line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from pipeline.errors import UsageError

_Key = str | int
_CODE = r"^[a-z][a-z0-9_]{0,39}$"

Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"\w")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))


class Theme(_Record):
    """One thing that a reader of a paragraph can say yes or no to.

    Attributes
    ----------
    code : str
        The key of labels and tags: lower case letters, digits and underscores, at most 40.
    terms, acronyms : tuple of str
        Words and phrases that are evidence of it (see :mod:`pipeline.themes.terms` for how they match).
    retired : bool
        Known, so that its labels stay valid, but no longer tagged or counted.
    """

    code: Annotated[str, StringConstraints(pattern=_CODE)]
    name: Text
    definition: Text
    not_when: Text | None = None
    rulings: tuple[Text, ...] = ()
    terms: tuple[Phrase, ...] = ()
    acronyms: tuple[Phrase, ...] = ()
    retired: bool = False

    @cached_property
    def fingerprint(self) -> str:
        """12 hex digits that change when the theme's tags could: with its code, its terms or its retirement."""
        return _digest([self.code, sorted(self.terms), sorted(self.acronyms), self.retired])


class Section(_Record):
    """A section of the paper: the union of its themes."""

    code: Text
    title: Text
    part: Literal["well performing", "poorly performing"] | None = None
    themes: tuple[str, ...] = Field(min_length=1)


class Taxonomy(_Record):
    """The themes, in the order of the file, and the paper's sections.

    Attributes
    ----------
    all_themes : tuple of Theme
        Retired ones included; :attr:`themes` has those in use.
    conventions : tuple of str
        What holds for every theme when people label.
    """

    name: Text
    source: Text | None = None
    conventions: tuple[Text, ...] = ()
    all_themes: tuple[Theme, ...] = Field(alias="themes", min_length=1)
    sections: tuple[Section, ...] = ()

    @cached_property
    def themes(self) -> tuple[Theme, ...]:
        """The themes in use."""
        return tuple(theme for theme in self.all_themes if not theme.retired)

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Codes of the themes in use, in the order of the file."""
        return tuple(theme.code for theme in self.themes)

    @cached_property
    def retired(self) -> tuple[str, ...]:
        """Codes of the retired themes."""
        return tuple(theme.code for theme in self.all_themes if theme.retired)

    @cached_property
    def fingerprint(self) -> str:
        """12 hex digits that change when any tag could: a theme added, retired, renamed in code, or given other terms.

        Names, definitions and sections are left out: sections are unions made when tables are, so none of these makes a
        tag stale.
        """
        return _digest([theme.fingerprint for theme in self.themes])

    def theme(self, code: str) -> Theme:
        """The theme of that code, retired or not.

        Raises
        ------
        UsageError
            If there is none; names the codes that look like it.
        """
        for theme in self.all_themes:
            if theme.code == code:
                return theme
        raise UsageError(f"There is no theme {code!r} in the taxonomy{_near(code, self.codes)}.")

    def section(self, code: str) -> Section:
        """The section of that code. Raises :class:`UsageError` if there is none."""
        for section in self.sections:
            if section.code == code:
                return section
        raise UsageError(
            f"There is no section {code!r} in the taxonomy{_near(code, tuple(s.code for s in self.sections))}."
        )

    def active(self, section: Section) -> tuple[str, ...]:
        """Codes of a section's themes that are in use."""
        return tuple(code for code in section.themes if code in self.codes)


def load_taxonomy(path: Path) -> Taxonomy:
    """Read and check a taxonomy file.

    Raises
    ------
    UsageError
        One sentence with the file and the line: not there, not YAML, a key missing, unknown or doubled, a doubled code,
        a section with a theme that does not exist.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"The taxonomy {path} does not exist; set `taxonomy` in config.yaml to its place.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The taxonomy {path} cannot be read ({error}); it must be a text file in UTF-8.") from None
    return parse_taxonomy(text, str(path))


def parse_taxonomy(text: str, name: str = "taxonomy") -> Taxonomy:
    """Read and check the text of a taxonomy file called ``name``; raises as :func:`load_taxonomy` does."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        node = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UsageError(f"The taxonomy {name} is not YAML{line}: {error.problem}.") from None
    except yaml.YAMLError as error:
        raise UsageError(f"The taxonomy {name} is not YAML: {' '.join(str(error).split())}.") from None
    except RecursionError:
        raise UsageError(f"The taxonomy {name} is nested too deeply to be one.") from None
    if not isinstance(node, yaml.MappingNode):
        raise UsageError(f"The taxonomy {name} must be a mapping with `name`, `themes` and `sections`.")
    source = _Source(name, node)
    source.check_doubled_keys()
    try:
        taxonomy = Taxonomy.model_validate(_plain(node))
    except ValidationError as error:
        first = error.errors()[0]
        raise source.error(tuple(first["loc"]), _explained(first["type"], first["loc"], first["msg"])) from None
    _check_codes(taxonomy, source)
    return taxonomy


def _check_codes(taxonomy: Taxonomy, source: _Source) -> None:
    seen: dict[str, int] = {}
    for position, theme in enumerate(taxonomy.all_themes):
        if theme.code in seen:
            first = source.line(("themes", seen[theme.code], "code"))
            raise source.error(
                ("themes", position, "code"),
                f"the code {theme.code} is already used on line {first}; every theme needs its own",
            )
        seen[theme.code] = position
    if not taxonomy.themes:
        raise source.error(("themes",), "every theme is retired; at least one must be in use")
    sections: dict[str, int] = {}
    for position, section in enumerate(taxonomy.sections):
        if section.code in sections:
            first = source.line(("sections", sections[section.code], "code"))
            raise source.error(("sections", position, "code"), f"the section {section.code} is already on line {first}")
        sections[section.code] = position
        for place, code in enumerate(section.themes):
            where = ("sections", position, "themes", place)
            if code not in seen:
                raise source.error(
                    where,
                    f"section {section.code} has the theme {code!r}, which does not exist{_near(code, tuple(seen))}",
                )
            if code in section.themes[:place]:
                raise source.error(where, f"section {section.code} has the theme {code} twice")


class _Source:
    """Where in the file each value stands."""

    def __init__(self, name: str, root: yaml.MappingNode) -> None:
        self.name = name
        self.root = root

    def line(self, location: tuple[_Key, ...]) -> int:
        """Line, from 1, of the deepest part of ``location`` that is in the file."""
        node: yaml.Node = self.root
        line: int = node.start_mark.line
        for key in location:
            if isinstance(node, yaml.MappingNode):
                found = next(((k, v) for k, v in node.value if getattr(k, "value", None) == str(key)), None)
                if found is None:
                    break
                line, node = found[0].start_mark.line, found[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
                node = node.value[key]
                line = node.start_mark.line
            else:
                break
        return line + 1

    def error(self, location: tuple[_Key, ...], message: str) -> UsageError:
        return UsageError(f"The taxonomy {self.name}, line {self.line(location)}: {message}.")

    def check_doubled_keys(self) -> None:
        for mapping in _mappings(self.root):
            seen: dict[str, int] = {}
            for key, _ in mapping.value:
                line = key.start_mark.line + 1
                if not isinstance(key, yaml.ScalarNode):
                    raise UsageError(f"The taxonomy {self.name}, line {line}: a key must be a word.")
                if key.value in seen:
                    raise UsageError(
                        f"The taxonomy {self.name}, line {line}: "
                        f"the key {key.value!r} is already on line {seen[key.value]}."
                    )
                seen[key.value] = line


def _mappings(node: yaml.Node) -> Iterator[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, value in node.value:
            yield from _mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _mappings(value)


def _plain(node: yaml.Node) -> object:
    # Scalars stay text, so that `code: 3.10` is section 3.10 and an acronym NO is not a boolean; only true, false and
    # null have a meaning here.
    if isinstance(node, yaml.MappingNode):
        return {key.value: _plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(value) for value in node.value]
    if not isinstance(node, yaml.ScalarNode):
        raise TypeError(f"a YAML node of kind {type(node).__name__}")
    if node.style is None and node.value in ("", "~", "null"):
        return None
    return node.value


def _explained(kind: str, location: tuple[_Key, ...], message: str) -> str:
    key = next((str(part) for part in reversed(location) if isinstance(part, str)), "")
    if kind == "missing":
        return f"the key `{key}` is missing"
    if kind == "extra_forbidden":
        return f"the key `{key}` is not one that a taxonomy has"
    if kind == "string_pattern_mismatch" and key == "code":
        return (
            "a theme's code must start with a lower case letter "
            "and have only lower case letters, digits and underscores (at most 40)"
        )
    if kind == "string_type":
        return f"`{key}` must be text"
    if kind in ("tuple_type", "list_type"):
        return f"`{key}` must be a list"
    return f"`{key}`: {message[0].lower()}{message[1:]}".rstrip(".")


def _near(code: str, codes: tuple[str, ...]) -> str:
    import difflib

    near = difflib.get_close_matches(code, codes, n=3)
    return f" (did you mean {' or '.join(near)}?)" if near else ""


def _digest(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()[:12]
