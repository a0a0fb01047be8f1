"""House rules that no bought linter knows. `python -m tools.rules` checks the tree; tests/rules/test_house_rules.py the rules.

An exception is annotated in place, with its reason: `# allow: <rule>: <why>` on the line itself.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PRODUCT = ("flowcrm", "standins", "bench", "tools")
LONGEST_MODULE = 400
LONGEST_FUNCTION = 60

Found = Iterator[tuple[int, str]]


@dataclass(frozen=True)
class Module:
    """One parsed file; path: from the project's root."""

    path: Path
    source: str

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @property
    def lines(self) -> list[str]:
        return self.source.splitlines()


@dataclass(frozen=True)
class Violation:
    path: Path
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.text}"


def long_module(module: Module) -> Found:
    """A module has one subject."""
    if len(module.lines) >= LONGEST_MODULE:
        yield 1, f"{len(module.lines)} lines: what two things live in it? ({LONGEST_MODULE} at most)"


def long_function(module: Module) -> Found:
    """A function fits on a screen."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield node.lineno, f"{node.name} has {length} lines ({LONGEST_FUNCTION} at most)"


def swallowed_error(module: Module) -> Found:
    """An error that nobody foresaw must be seen by somebody."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not _does_something(node.body):
            yield node.lineno, "an error vanishes here"


def _is_broad(kind: ast.expr | None) -> bool:
    return kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"})


def _does_something(body: list[ast.stmt]) -> bool:
    return not all(isinstance(one, ast.Pass | ast.Continue) for one in body)


def own_clock(module: Module) -> Found:
    """Everything asks one clock what time it is, so that tests and demo can move it."""
    if module.path == Path("flowcrm/lib/clock.py"):
        return
    asks = {"datetime.now", "datetime.utcnow", "date.today", "datetime.today", "time.time", "timezone.now"}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and ".".join(_dotted(node.func)[-2:]) in asks:
            yield node.lineno, "ask flowcrm.lib.clock.now()"


def one_http_client(module: Module) -> Found:
    """Time-outs, the guard against inner addresses and the cap on sizes live in one place."""
    if module.path == Path("flowcrm/lib/http.py") or module.path.parts[0] != "flowcrm":
        return
    for line, name in _imports(module.tree):
        if (
            name.split(".")[0] in {"httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3"}
            or name == "urllib.request"
        ):
            yield line, f"{name}: only flowcrm/lib/http.py speaks HTTP"


def no_signals(module: Module) -> Found:
    """What happens on a write is written where the write is."""
    for line, name in _imports(module.tree):
        if name.startswith(("django.db.models.signals", "django.dispatch")):
            yield line, "no ORM signals: call what must happen"


def writes_in_store(module: Module) -> Found:
    """Only flowcrm/store writes tables; everybody else calls its functions."""
    if module.path.parts[:2] == ("flowcrm", "store") or module.path.parts[0] != "flowcrm":
        return
    writers = {"create", "bulk_create", "update", "bulk_update", "get_or_create", "update_or_create", "delete"}
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        called = _dotted(node.func)
        if called and called[-1] in writers and "objects" in called:
            yield node.lineno, "writes belong in flowcrm/store/writes"


# What may be opened anywhere: no mail, but addresses and labels of mailboxes, grants, settings, what a form put aside, what
# people typed on exclusion lists, and whom an invitation goes to.
NOT_MAIL = {"account", "identity", "folder", "tokens", "instance_setting", "undo", "errand", "preview", "exclusion", "invite"}
_OPENERS = {"open_text", "open_packed", "open_stream", "opened_pieces"}
_DOOR = "flowcrm.store.reveal"


def one_door(module: Module) -> Found:
    """What came by mail opens for a person in store/reveal only, whose functions write the audit record."""
    if module.path.parts[0] != "flowcrm" or module.path.parts[1] == "vault" or module.path.parts[1:3] == ("store", "reveal"):
        return
    constants = _text_constants(module.tree)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name | ast.Attribute | ast.alias) and _last_name(node) in _OPENERS:
            yield node.lineno, f"{_last_name(node)}: mail opens in flowcrm/store/reveal only"
        if isinstance(node, ast.Call) and _opens_mail(node, constants):
            yield node.lineno, "this opens mail, or says not what: mail opens in flowcrm/store/reveal only"
        if isinstance(node, ast.Import | ast.ImportFrom) and _behind_the_door(node):
            yield node.lineno, f"import from {_DOOR} itself: what lies behind it writes no audit record"


def _last_name(node: ast.Name | ast.Attribute | ast.alias) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else node.name


def _opens_mail(call: ast.Call, constants: dict[str, str]) -> bool:
    """A vault opens (kind, id, sealed), an object store (vault, content id, ref): three arguments, which no file's open has
    but the operating system's."""
    called = _dotted(call.func)
    if called[-1:] not in (["open"], ["stream"]) or called[:1] == ["os"] or len(call.args) + len(call.keywords) != 3:
        return False
    kind = call.args[0] if call.args else None
    known = kind.value if isinstance(kind, ast.Constant) else constants.get(kind.id) if isinstance(kind, ast.Name) else None
    return known not in NOT_MAIL


def _text_constants(tree: ast.Module) -> dict[str, str]:
    """Module-level names of texts."""
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _behind_the_door(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.startswith(_DOOR) for alias in node.names)
    if node.module == _DOOR:
        return not all(alias.name.startswith("reveal_") or alias.name[0].isupper() for alias in node.names)
    return (node.module or "").startswith(f"{_DOOR}.")


def unfinished(module: Module) -> Found:
    """What is not done stands in the issue, not in the code."""
    # Split, so that this file does not find itself.
    words = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
    for number, line in enumerate(module.lines, 1):
        if words.search(line):
            yield number, "unfinished"


def one_word(module: Module) -> Found:
    """The word is Email."""
    words = re.compile(r"\be-" r"mails?\b", re.IGNORECASE)
    for number, line in enumerate(module.lines, 1):
        if words.search(line) and module.path.parts[0] == "flowcrm":
            yield number, "write email"


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, node.module or ""
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _dotted(node: ast.expr) -> list[str]:
    """The names of a.b.c, or of a.b().c."""
    if isinstance(node, ast.Attribute):
        return [*_dotted(node.value), node.attr]
    if isinstance(node, ast.Call):
        return _dotted(node.func)
    return [node.id] if isinstance(node, ast.Name) else []


RULES: dict[str, Callable[[Module], Found]] = {
    "long-module": long_module,
    "long-function": long_function,
    "swallowed-error": swallowed_error,
    "own-clock": own_clock,
    "one-http-client": one_http_client,
    "no-signals": no_signals,
    "writes-in-store": writes_in_store,
    "one-door": one_door,
    "unfinished": unfinished,
    "one-word": one_word,
}


def check(module: Module) -> list[Violation]:
    """Everything in one module that breaks a rule and does not say why it may."""
    found = set()
    for name, rule in RULES.items():
        for line, text in rule(module):
            if f"# allow: {name}: " not in module.lines[line - 1]:
                found.add(Violation(module.path, line, name, text))
    return sorted(found, key=lambda violation: (violation.line, violation.rule))


def modules() -> Iterator[Module]:
    """The product's files; migrations say what they must, tests are checked by ruff."""
    for folder in PRODUCT:
        for file in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in file.parts:
                yield Module(file.relative_to(ROOT), file.read_text())


def main() -> None:
    """Print what is wrong; end with 1 if there is anything."""
    found = [violation for module in modules() for violation in check(module)]
    for violation in found:
        sys.stdout.write(f"{violation}\n")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
