"""The pages of rules and of result files, read from `workflow/rules`."""

import ast
import re
import textwrap
from dataclasses import dataclass, field, replace
from pathlib import Path

from reference_text import plain

# the stages in the order of the flow, each with the rule files that belong to it
STAGES = (
    "simulation", "dataset", "preprocess", "quality", "glm", "responses", "implants", "decoding", "mapping", "encoding",
    "baselines", "evaluation", "over_time", "figures", "faces", "report",
)  # fmt: skip

RULES_HEAD = """\
# Rules

What each rule of the workflow reads and writes. `<results>` is `results/<study>`, `<space>` the label of the template;
a call, such as `of_runs(...)`, is an input function of `workflow/rules/common.smk`. Every rule also keeps a log in
`<results>/logs/<rule>` and time and memory in `<results>/benchmarks/<rule>`. A study runs those that it needs:
`snakemake -n` lists them.
"""

FILES_HEAD = """\
# Result files

Everything that a study may write, by folder, with the [rule](rules.md) that writes it; how the files are kept is told
in [Architecture](../architecture.md#files). `{series}` is the run's name, such as `task-faces_run-01`.
"""


@dataclass
class Rule:
    """What the text of a rule says."""

    name: str
    stage: str
    what: str
    parts: dict[str, str] = field(default_factory=dict)

    def arguments(self, part: str) -> list[tuple[str, ast.expr]]:
        """Names and expressions of a directive; a name is empty where there is none."""
        call = ast.parse(f"f({self.parts.get(part, '')})", mode="eval").body
        assert isinstance(call, ast.Call)
        return [("", item) for item in call.args] + [(item.arg or "", item.value) for item in call.keywords]


def read_rules(root: Path) -> dict[str, Rule]:
    """Every rule, in the order of the flow."""
    unknown = {path.stem for path in root.glob("workflow/rules/*.smk")} - set(STAGES) - {"common"}
    if unknown:
        raise ValueError(f"docs/reference_rules.py does not know the rule files {sorted(unknown)}: add them to STAGES")
    rules = {}
    for stage in STAGES:
        text = (root / f"workflow/rules/{stage}.smk").read_text()
        for name, body in re.findall(r"^rule (\w+):\n((?:(?: .*)?\n)+)", text, flags=re.MULTILINE):
            script = ast.get_docstring(ast.parse((root / f"workflow/scripts/{name}.py").read_text())) or ""
            what = re.sub(r"\s*\(rules? [^)]*\)", "", script.split("\n\n")[0]).replace("\n", " ")
            rules[name] = Rule(name, stage, what, directives(body))
        for base, name, body in re.findall(r"^use rule (\w+) as (\w+) with:\n((?:(?: .*)?\n)+)", text, re.MULTILINE):
            own = {**directives(body), "params": rules[base].parts["params"]}
            rules[name] = replace(rules[base], name=name, stage=stage, parts=rules[base].parts | own)
    return rules


def directives(body: str) -> dict[str, str]:
    """The text of each directive of a rule."""
    pieces = re.split(r"^ {4}(\w+): ?", body, flags=re.MULTILINE)
    return {name: textwrap.dedent(text).strip() for name, text in zip(pieces[1::2], pieces[2::2], strict=True)}


def patterns(expression: ast.expr, rules: dict[str, Rule]) -> list[str]:
    """File patterns that an expression names, those of other rules' outputs included."""
    if isinstance(expression, ast.Constant):
        return [expression.value] if isinstance(expression.value, str) and "/" in expression.value else []
    if isinstance(expression, ast.JoinedStr):
        return ["".join(_piece(part) for part in expression.values)]
    chain = ast.unparse(expression)
    if match := re.fullmatch(r"rules\.(\w+)\.output(?:\.(\w+)|\[(\d+)\])?", chain):
        outputs = rules[match[1]].arguments("output")
        chosen = [item for name, item in outputs if not match[2] or name == match[2]]
        return [pattern for item in chosen for pattern in patterns(item, rules)]
    if isinstance(expression, ast.Call) and ast.unparse(expression.func) in ("report", "directory", "temp"):
        return patterns(expression.args[0], rules)
    found = [pattern for child in ast.iter_child_nodes(expression) for pattern in patterns(child, rules)]
    return list(dict.fromkeys(found))


def _piece(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    assert isinstance(part, ast.FormattedValue)
    return "{" + ast.unparse(part.value).removeprefix("wildcards.") + "}"


def rules_page(root: Path) -> str:
    """A heading for each stage, a section for each rule."""
    rules, known = read_rules(root), input_functions(root)
    lines, stage = [RULES_HEAD], ""
    for rule in rules.values():
        if rule.stage != stage:
            stage = rule.stage
            lines.append(f"## {stage.replace('_', ' ')}\n")
        lines += [f"### {rule.name}\n", f"{plain(rule.what)}\n"]
        for title, part in (("reads", "input"), ("writes", "output")):
            for name, item in rule.arguments(part):
                files = ", ".join(f"`{pattern}`" for pattern in patterns(item, rules))
                lines.append(f"- {title} {f'*{name}*: ' if name else ''}{files or described(item, known)}")
        settings = dict(rule.arguments("params")).get("cfg")
        if settings is not None:
            lines.append(f"- settings: `{' '.join(ast.unparse(settings).split())}`")
        lines.append("")
    return "\n".join(lines)


def described(expression: ast.expr, known: dict[str, str]) -> str:
    """An input without a pattern of its own: its code, and what the input function says of itself."""
    function = expression.func if isinstance(expression, ast.Call) else expression
    said = known.get(ast.unparse(function), "")
    return f"`{' '.join(ast.unparse(expression).split())}`" + (f", {said}" if said else "")


def input_functions(root: Path) -> dict[str, str]:
    """What the input functions of the workflow give."""
    text = (root / "workflow/rules/common.smk").read_text()
    found = re.findall(r'^def (\w+)\(.*\):\n    """Input function: (.*)"""', text, flags=re.MULTILINE)
    return {name: said.rstrip(".") for name, said in found}


def files_page(root: Path) -> str:
    """A table for each folder of results."""
    rules = read_rules(root)
    folders: dict[str, list[tuple[str, Rule]]] = {}
    for rule in rules.values():
        for _, item in rule.arguments("output"):
            for pattern in patterns(item, rules):
                name = pattern.removeprefix("<results>/")
                folder = name.split("/")[0] if "/" in name else "the study's own folder"
                folders.setdefault(folder, []).append((name, rule))
    lines = [FILES_HEAD]
    for folder, files in folders.items():
        lines += [f"## {folder}\n", "| file | rule | what it does |", "|---|---|---|"]
        for name, rule in files:
            anchor = rule.name.replace("_", "-")
            lines.append(f"| `{name}` | [{rule.name}](rules.md#{anchor}) | {plain(rule.what)} |")
        lines.append("")
    return "\n".join(lines)
