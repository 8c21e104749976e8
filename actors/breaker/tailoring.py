"""A guard that takes just what the guarded function takes, so that a call builds neither a tuple nor a dict.

`def guarded(*args, **kwargs)` costs more than all that a breaker does: packing, unpacking, and a call that the
interpreter cannot inline. So a function of plain parameters gets a guard of the same ones, as `dataclasses` makes an
`__init__`: from text. What `passage.turn_away` does stands in it, too: a frame less to unwind makes a refusal a tenth
faster. All other functions (defaults, `*args`, keywords only, builtins) get the general one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from types import FunctionType, MethodType
from typing import Any

PARAMETERS_MAX = 8

_OWN = "_breaker_"
"""What the guard's own names begin with; a function with such a parameter gets the general guard."""

_TEXT = """\
def make({o}circuit, {o}fallback, {o}fn, {o}slowly, {o}refusal, {o}fail, {o}refuse, {o}coroutine):
    {o}name, {o}now, {o}type, {o}raised = {o}circuit.name, {o}circuit.now, type, BaseException
    {kind}def guarded({parameters}):
        {o}lane, {o}word = {o}circuit.lane, {o}circuit.place[0]
        if {o}word != {o}lane.word:
            if {o}word == {o}lane.shut and {o}fallback is None:
                {o}left_s, {o}longest_s = {o}lane.until - {o}now(), {o}lane.longest_s
                if {o}left_s > 0:
                    {o}lane.bounce()
                    raise {o}refusal({o}name, {o}left_s if {o}left_s < {o}longest_s else {o}longest_s, {o}lane.told)
            return {wait}{o}slowly({o}circuit, {o}fallback, {o}fn, ({arguments}), {{}})
        try:
            {o}result = {wait}{o}fn({arguments})
        except {o}raised as {o}error:
            {o}fail({o}circuit, {o}lane, {o}error)
            raise
{check}        {o}lane.hit()
        return {o}result
    return guarded
"""


_CHECK = """\
        if {o}type({o}result) is {o}coroutine:
            {o}refuse({o}fn, {o}result)
"""


def tailor(fn: Callable[..., Any], *, asynchronous: bool) -> Callable[..., Callable[..., Any]] | None:
    """What makes a guard of the parameters of `fn`: see `calling` for what is handed to it; None where none fits."""
    plain = fn.__func__ if isinstance(fn, MethodType) else fn
    if not isinstance(plain, FunctionType) or plain.__defaults__ or plain.__kwdefaults__:
        return None
    code = plain.__code__
    names = code.co_varnames[: code.co_argcount]
    if isinstance(fn, MethodType):
        names = names[1:]
    if code.co_kwonlyargcount or code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
        return None
    if len(names) > PARAMETERS_MAX or any(name.startswith(_OWN) or not name.isidentifier() for name in names):
        return None
    bare = code.co_posonlyargcount - (code.co_argcount - len(names))
    return _maker(names, max(0, bare), asynchronous)


@cache
def _maker(names: tuple[str, ...], positional_only: int, asynchronous: bool) -> Callable[..., Any]:  # noqa: FBT001 - a key
    parameters = [*names[:positional_only], *(["/"] if positional_only else []), *names[positional_only:]]
    text = _TEXT.format(
        o=_OWN,
        kind="async " if asynchronous else "",
        wait="await " if asynchronous else "",
        parameters=", ".join(parameters),
        arguments="".join(f"{name}, " for name in names),
        check="" if asynchronous else _CHECK.format(o=_OWN),
    )
    made: dict[str, Any] = {}
    exec(compile(text, f"<breaker's guard of ({', '.join(parameters)})>", "exec"), made)  # noqa: S102 - our own text
    return made["make"]
