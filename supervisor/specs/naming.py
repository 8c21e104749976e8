"""How children, pools and groups are called, and the length that a name with its groups may have. Pure."""

from __future__ import annotations

import re

from actors.runtime.ids import is_valid_name

PATH_MAX = 63
MEMBER_SUFFIX = len("-10000")
"""What a member of a pool has behind the pool's name, at most."""


def name_problem(name: str) -> str:
    """Why `name` cannot name a child, pool or group, or an empty text."""
    if is_valid_name(name) and "." not in name:
        return ""
    return (
        f"{name!r} is no name; use letters, digits, '_' and '-', at most {PATH_MAX}, a letter or digit first "
        "('.' stands between a group and what is in it)"
    )


def joined(*names: str) -> str:
    """`shop.eu.cart`: a name behind the names of its groups, the outermost first."""
    return ".".join(name for name in names if name)


def path_problem(path: str, *, pool: bool) -> str:
    """Why a joined name is too long, or an empty text."""
    limit = PATH_MAX - (MEMBER_SUFFIX if pool else 0)
    if len(path) <= limit:
        return ""
    numbered = " (its members are numbered)" if pool else ""
    return f"with its groups it is {path!r}, {len(path)} characters; at most {limit}{numbered} are possible"


def pool_of_number(path: str) -> str:
    """`shop.p` of `shop.p-3`: the pool whose member may be called so; empty for a name without a number."""
    numbered = re.fullmatch(r"(.+)-[0-9]+", path)
    return "" if numbered is None else numbered[1]
